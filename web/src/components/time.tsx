// A moment and a size: short to read, exact in the title.
import { exactBytes, exactUtc, formatAge, formatBytes, formatTime } from '../format';
import { useNow } from '../hooks';

export function Time({ at }: { at: string }) {
  const time = new Date(at);
  return (
    <time class="number" dateTime={at} title={exactUtc(time)}>
      {formatTime(time)}
    </time>
  );
}

// "5 min ago", and kept true.
export function Age({ at }: { at: string }) {
  const now = useNow(true);
  const time = new Date(at);
  return (
    <time class="number" dateTime={at} title={`${formatTime(time)}, ${exactUtc(time)}`}>
      {formatAge(time, now)}
    </time>
  );
}

export function Bytes({ count }: { count: number }) {
  return (
    <span class="number" title={exactBytes(count)}>
      {formatBytes(count)}
    </span>
  );
}
