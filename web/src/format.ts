// Numbers, sizes and times as the page writes them.

const SIZE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const COUNT_UNITS = ['', 'k', 'M', 'G', 'T', 'P'];

const whole = new Intl.NumberFormat('en-US');
const localTime = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const localShort = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

function scaled(value: number, units: readonly string[]): [number, string] {
  let index = 0;
  // What would be written as 1000 of a unit is 1 of the next.
  while (Math.abs(value) >= 999.5 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return [value, units[index] ?? ''];
}

// What has no prefix is a whole number.
function threeDigits(value: number, hasPrefix: boolean): string {
  const size = Math.abs(value);
  return value.toFixed(!hasPrefix || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

// "1.23 MB"
export function formatBytes(bytes: number): string {
  const [value, unit] = scaled(bytes, SIZE_UNITS);
  return `${threeDigits(value, unit !== 'B')} ${unit}`;
}

// "1,234,567 bytes"
export function exactBytes(bytes: number): string {
  return `${whole.format(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
}

export function formatCount(count: number): string {
  return whole.format(count);
}

// "25.6M"
export function shortCount(count: number): string {
  const [value, unit] = scaled(count, COUNT_UNITS);
  return threeDigits(value, unit !== '') + unit;
}

export function plural(count: number, one: string, many = one + 's'): string {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}

// "exp", "3 experiments"
export function nameAll(keys: readonly string[]): string {
  return keys.length === 1 && keys[0] !== undefined ? keys[0] : plural(keys.length, 'experiment');
}

// "4.2s", "3m 07s", "2h 05m", "3d 04h"
export function formatDuration(seconds: number): string {
  if (seconds < 0) return '0s';
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const total = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (total < 60) return `${total}s`;
  if (total < 3600) return `${Math.floor(total / 60)}m ${two(total % 60)}s`;
  const minutes = Math.round(total / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
}

// Whole seconds, for what ticks.
export function formatElapsed(seconds: number): string {
  return seconds < 60 ? `${Math.max(0, Math.floor(seconds))}s` : formatDuration(Math.floor(seconds));
}

export function formatTime(time: Date): string {
  return localTime.format(time);
}

export function formatShortTime(time: Date): string {
  return localShort.format(time);
}

// "5 min ago"; beyond a day the date
export function formatAge(time: Date, now: number): string {
  const seconds = (now - time.getTime()) / 1000;
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return formatShortTime(time);
}

// "2026-01-31 12:00:00.123 UTC"
export function exactUtc(time: Date): string {
  return time.toISOString().replace('T', ' ').replace('Z', ' UTC');
}

// Five significant digits, as short as that can be written.
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(3);
  return String(Number(value.toPrecision(5)));
}

export function formatShape(shape: readonly number[]): string {
  return shape.length === 0 ? 'scalar' : shape.join(' × ');
}

// As a shell reads it.
export function shellCommand(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
