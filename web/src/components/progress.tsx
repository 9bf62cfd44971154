// How far an attempt is, or how it ended: the last line that it wrote, and the last step of its scalars.
import { useEffect, useRef, useState } from 'preact/hooks';

import { attemptPath, getTail } from '../api';
import { formatCount } from '../format';
import { useInterval } from '../hooks';
import { useResource } from '../resource';
import { Screen } from '../terminal/screen';
import type { Attempt, ScalarIndex } from '../types';
import { Section } from './facts';
import { isLive } from './state';

const REFRESH_MS = 2000;
// Of the output's end: a line of a progress bar is written again and again.
const TAIL_BYTES = 16 * 1024;

// As a terminal would show it.
function lastLine(text: string): string {
  const screen = new Screen();
  screen.write(text);
  for (let index = screen.length - 1; index >= 0; index--) {
    const line = screen.line(index).text.trimEnd();
    if (line) return line;
  }
  return '';
}

// Null until it is known.
function useLastLine(path: string, isGrowing: boolean): string | null {
  const [line, setLine] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    getTail(path, TAIL_BYTES, abort.signal).then(
      (text) => setLine(lastLine(text)),
      () => {
        // There is no output, or the banner tells that the server is away.
        if (!abort.signal.aborted) setLine((before) => before ?? '');
      },
    );
    return () => abort.abort();
    // Once more when it has ended: the last line is the one that counts.
  }, [path, round, isGrowing]);
  useInterval(() => setRound((value) => value + 1), isGrowing ? REFRESH_MS : null);
  return line;
}

export function Progress({ experiment, attempt: { number, status } }: { experiment: string; attempt: Attempt }) {
  const path = attemptPath(experiment, number);
  const isGrowing = isLive(status);
  const line = useLastLine(path + '/output', isGrowing);
  const { data, reload } = useResource<ScalarIndex>(path + '/scalars');
  useInterval(reload, isGrowing ? REFRESH_MS : null);
  const wasGrowing = useRef(isGrowing);
  useEffect(() => {
    if (wasGrowing.current && !isGrowing) reload();
    wasGrowing.current = isGrowing;
  }, [isGrowing, reload]);
  const step = data?.series.reduce((most, series) => Math.max(most, series.last_step), -1) ?? -1;
  return (
    <Section title="Progress" aside={<span class="dim number last-step">{step >= 0 && `step ${formatCount(step)}`}</span>}>
      <p class="last-line mono">{line === '' ? <span class="dim">It wrote nothing.</span> : (line ?? ' ')}</p>
    </Section>
  );
}
