// What changes in the catalog, as the server tells it: one connection for the whole page.
import { apiUrl, getJson } from './api';
import { connection, loadSession, reportLost } from './connection';
import type { Run, RunList } from './types';

export interface ChangeListener {
  // An experiment is new or has changed.
  change: (run: Run, sequence: number) => void;
  // Anything may have changed.
  reset: () => void;
}

const REOPEN_MS = 2000;

const listeners = new Set<ChangeListener>();
let source: EventSource | null = null;
// Of the last change that was seen.
let sequence: number | null = null;
let isAsking = false;

function open(): void {
  // A browser holds six connections to a server, whatever the number of tabs: one that nobody looks at gives its own back.
  if (sequence === null || source !== null || document.hidden || listeners.size === 0) return;
  const opened = new EventSource(apiUrl('/experiment-events?after=' + sequence));
  source = opened;
  opened.addEventListener('change', (event: MessageEvent<string>) => {
    sequence = Number(event.lastEventId);
    const run = JSON.parse(event.data) as Run;
    for (const listener of [...listeners]) listener.change(run, sequence);
  });
  opened.addEventListener('reset', (event: MessageEvent<string>) => {
    sequence = Number(event.lastEventId);
    for (const listener of [...listeners]) listener.reset();
  });
  opened.addEventListener('error', () => {
    // Perhaps the server is gone, perhaps the session has ended, perhaps only the connection broke.
    void loadSession().catch(reportLost);
    // A broken connection is taken up again by the browser, an answer that is no stream never. Who is no more signed in
    // is asked to, and nothing listens until then.
    if (opened.readyState !== EventSource.CLOSED) return;
    close();
    setTimeout(open, REOPEN_MS);
  });
}

function close(): void {
  source?.close();
  source = null;
}

async function ask(): Promise<void> {
  if (isAsking || sequence !== null) return;
  isAsking = true;
  try {
    startFeed((await getJson<RunList>('/experiments?limit=0')).sequence);
    // Whatever was loaded before the sequence was known may have changed in between.
    for (const listener of [...listeners]) listener.reset();
  } catch {
    // Asked again when the server is back.
  } finally {
    isAsking = false;
  }
}

// A list that was loaded tells where to begin.
export function startFeed(from: number): void {
  if (sequence === null) sequence = from;
  open();
}

// Before `startFeed`, `begin` asks for the place to begin at.
export function followChanges(listener: ChangeListener, begin: 'ask' | 'wait' = 'ask'): () => void {
  listeners.add(listener);
  if (sequence !== null) open();
  else if (begin === 'ask') void ask();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) close();
  };
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) close();
  else open();
});

let generation = connection.value.generation;
connection.subscribe(() => {
  if (connection.value.generation === generation) return;
  generation = connection.value.generation;
  // Another server may count from elsewhere.
  close();
  sequence = null;
  void ask();
});
