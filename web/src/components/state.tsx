// The state of an experiment: a sign and a word, and a colour besides.
import { useNow } from '../hooks';
import { formatDuration, formatElapsed } from '../format';
import type { Attempt, Run, Status } from '../types';
import { Icon } from './icon';

export function isLive(status: Status): boolean {
  return status === 'starting' || status === 'running';
}

export function StateBadge({ status }: { status: Status }) {
  return (
    <span class={`state state-${status}`}>
      <Icon name={status} />
      {status}
    </span>
  );
}

// "exit code 3", "SIGKILL, by Studio"; nothing for what went well
export function outcome({ exit_code, signal, failure, reason }: Run | Attempt): string {
  const parts: string[] = [];
  if (signal !== null) parts.push(signal);
  else if (exit_code !== null && exit_code !== 0) parts.push(`exit code ${exit_code}`);
  if (failure === 'studio') parts.push('Studio failed');
  if (reason !== null) parts.push(reason);
  return parts.join(' · ');
}

type Lasting = Pick<Run, 'status' | 'started' | 'duration_seconds'>;

export function Duration({ of: { status, started, duration_seconds: seconds } }: { of: Lasting }) {
  const isTicking = seconds === null && isLive(status);
  const now = useNow(isTicking);
  if (seconds !== null) {
    return (
      <span class="number" title={`${seconds} seconds`}>
        {formatDuration(seconds)}
      </span>
    );
  }
  if (!isTicking) return <span class="faint">–</span>;
  return <span class="number">{formatElapsed((now - Date.parse(started)) / 1000)}</span>;
}
