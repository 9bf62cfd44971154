// Brings the output of an attempt onto a screen, from the server's stream while it runs and whole when it has ended.
import { ApiError, apiUrl, attemptPath, LostServerError, request } from '../api';
import { connection, loadSession, reportLost } from '../connection';
import { Screen } from './screen';

// What is shown of a longer output is its end.
const MOST_BYTES = 256 * 1024 * 1024;
// Of each frame, so that the page answers while much comes in.
const FRAME_BUDGET_MS = 8;
const PIECE = 16_384;
// More is not read before the screen has taken what is there.
const MOST_WAITING = 8_000_000;
const RETRY_MS = 1000;

export type ReaderState = 'loading' | 'live' | 'ended';

export class OutputReader {
  readonly screen = new Screen();
  state: ReaderState = 'loading';
  error: Error | null = null;
  skippedBytes = 0;

  private readonly path: string;
  private readonly listeners = new Set<() => void>();
  private readonly abort = new AbortController();
  private source: EventSource | null = null;
  private offset = 0;
  private waiting: string[] = [];
  private waitingLength = 0;
  private frame = 0;
  private drained: (() => void) | null = null;
  private hasEnded = false;

  constructor(
    key: string,
    attempt: number,
    private readonly isLive: boolean,
  ) {
    this.path = attemptPath(key, attempt) + '/output';
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    document.addEventListener('visibilitychange', this.onVisibility);
    void this.begin();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.abort.abort();
    this.source?.close();
    cancelAnimationFrame(this.frame);
  }

  private async begin(): Promise<void> {
    try {
      const head = await request(this.path, { method: 'HEAD', signal: this.abort.signal });
      const size = Number(head.headers.get('Content-Length') ?? 0);
      this.offset = Math.max(0, size - MOST_BYTES);
      this.skippedBytes = this.offset;
      if (this.isLive) this.follow();
      else await this.readWhole();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private fail(error: Error): void {
    if (this.abort.signal.aborted) return;
    const isNotThere = error instanceof ApiError && error.status === 404;
    if (error instanceof LostServerError) {
      this.retryWhenBack();
    } else if (this.isLive && isNotThere) {
      // It has not written anything yet.
      setTimeout(() => {
        if (!this.abort.signal.aborted) void this.begin();
      }, RETRY_MS);
    } else {
      this.error = error;
      this.tell();
    }
  }

  private retryWhenBack(): void {
    const unsubscribe = connection.subscribe(() => {
      if (connection.value.isLost) return;
      unsubscribe();
      // What was read of a whole is read again only if nothing of it is shown.
      if (!this.abort.signal.aborted && this.screen.length === 0) void this.begin();
    });
  }

  private readonly onVisibility = (): void => {
    // As with events.ts: nobody looks, and connections are few.
    if (document.hidden) {
      this.source?.close();
      this.source = null;
    } else if (this.isLive && this.state === 'live' && !this.source) {
      this.follow();
    }
  };

  private follow(): void {
    if (document.hidden) {
      this.setState('live');
      return;
    }
    const source = new EventSource(apiUrl(`${this.path}/events?from=${this.offset}`));
    this.source = source;
    let hasOpened = false;
    source.addEventListener('open', () => {
      hasOpened = true;
      this.setState('live');
    });
    source.addEventListener('output', (event: MessageEvent<string>) => {
      const { text } = JSON.parse(event.data) as { offset: number; text: string };
      this.offset = Number(event.lastEventId);
      this.take(text);
    });
    source.addEventListener('end', () => {
      source.close();
      this.source = null;
      this.end();
    });
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) {
        void loadSession().catch(reportLost);
        return;
      }
      this.source = null;
      // No stream: the attempt's file is no more on this machine, so it has ended.
      if (!hasOpened) void this.readWhole().catch((error: unknown) => this.fail(error as Error));
      else setTimeout(() => this.onVisibility(), RETRY_MS);
    });
  }

  private async readWhole(): Promise<void> {
    const headers: HeadersInit = this.offset > 0 ? { Range: `bytes=${this.offset}-` } : {};
    const response = await request(this.path, { signal: this.abort.signal, headers });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    while (reader) {
      const { done, value } = await reader.read();
      if (done) break;
      this.take(value);
      if (this.waitingLength > MOST_WAITING) await new Promise<void>((resolve) => (this.drained = resolve));
    }
    this.end();
  }

  private take(text: string): void {
    this.waiting.push(text);
    this.waitingLength += text.length;
    this.frame ||= requestAnimationFrame(this.work);
  }

  private end(): void {
    this.hasEnded = true;
    this.frame ||= requestAnimationFrame(this.work);
  }

  private readonly work = (): void => {
    this.frame = 0;
    const deadline = performance.now() + FRAME_BUDGET_MS;
    let done = 0;
    while (done < this.waiting.length && performance.now() < deadline) {
      const text = this.waiting[done]!;
      this.screen.write(text.slice(0, PIECE));
      this.waitingLength -= Math.min(text.length, PIECE);
      if (text.length > PIECE) this.waiting[done] = text.slice(PIECE);
      else done += 1;
    }
    this.waiting.splice(0, done);
    if (this.waiting.length > 0) {
      this.frame = requestAnimationFrame(this.work);
    } else {
      this.drained?.();
      this.drained = null;
      if (this.hasEnded) this.state = 'ended';
    }
    this.tell();
  };

  private setState(state: ReaderState): void {
    if (this.state === state || this.state === 'ended') return;
    this.state = state;
    this.tell();
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
