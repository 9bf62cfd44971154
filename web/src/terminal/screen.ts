// What a terminal would show of a script's output: the last lines can still be written over, the others are kept as they are.
import { LineStore, type Line } from './lines';
import { Styles } from './styles';

// How far up a script can move; nested progress bars need a few lines.
const LIVE_LINES = 64;
// A longer line goes on in the next one.
const LONGEST_LINE = 16_384;
const LONGEST_SEQUENCE = 4096;
const MOST_CHARACTERS = 256_000_000;
const TAB = 8;

// A control sequence, a string (title, link) or a short escape, whole.
const SEQUENCE = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-OQ-WYZ\\`-~])/y;

// Where the next control character is.
function nextControl(text: string, from: number): number {
  let at = from;
  for (; at < text.length; ++at) {
    const code = text.charCodeAt(at);
    if (code < 32 || code === 127) break;
  }
  return at;
}

interface LiveLine {
  text: string;
  runs: number[];
}

// Gives the columns `from` to `to` a style.
function paint(runs: number[], from: number, to: number, style: number): number[] {
  const result: number[] = [];
  const add = (column: number, value: number): void => {
    const last = result.length > 0 ? result[result.length - 1] : 0;
    if (value !== last) result.push(column, value);
  };
  let after = 0; // the style that holds from `to` on
  let at = 0;
  for (; at < runs.length && runs[at]! < from; at += 2) {
    result.push(runs[at]!, runs[at + 1]!);
    after = runs[at + 1]!;
  }
  for (; at < runs.length && runs[at]! <= to; at += 2) after = runs[at + 1]!;
  add(from, style);
  add(to, after);
  for (; at < runs.length; at += 2) add(runs[at]!, runs[at + 1]!);
  return result;
}

// What is left of the styles when a line is cut off.
function cut(runs: number[], at: number): number[] {
  let end = 0;
  while (end < runs.length && runs[end]! < at) end += 2;
  return runs.slice(0, end);
}

export class Screen {
  readonly styles = new Styles();
  readonly kept = new LineStore(MOST_CHARACTERS);
  longest = 0;
  private live: LiveLine[] = [{ text: '', runs: [] }];
  private row = 0;
  private column = 0;
  private style = 0;
  // The beginning of a sequence whose end has not come yet.
  private rest = '';

  // A line feed at the end begins no line of its own.
  get length(): number {
    const isLastEmpty = this.live[this.live.length - 1]?.text === '';
    return this.kept.length + this.live.length - (isLastEmpty ? 1 : 0);
  }

  line(index: number): Line {
    if (index < this.kept.length) return this.kept.line(index);
    const line = this.live[index - this.kept.length];
    return { text: line?.text ?? '', runs: line && line.runs.length > 0 ? line.runs : undefined };
  }

  write(text: string): void {
    text = this.rest + text;
    this.rest = '';
    for (let at = 0; at < text.length; ) {
      const next = nextControl(text, at);
      if (next > at) this.put(text.slice(at, next));
      if (next === text.length) return;
      if (text[next] !== '\x1b') {
        this.control(text.charCodeAt(next));
        at = next + 1;
        continue;
      }
      SEQUENCE.lastIndex = next;
      const sequence = SEQUENCE.exec(text);
      if (sequence) {
        if (sequence[2] !== undefined) this.sequence(sequence[1] ?? '', sequence[2]);
        at = SEQUENCE.lastIndex;
      } else if (text.length - next < LONGEST_SEQUENCE) {
        this.rest = text.slice(next);
        return;
      } else {
        at = next + 1;
      }
    }
  }

  private get current(): LiveLine {
    return this.live[this.row]!;
  }

  private put(text: string): void {
    while (this.column + text.length > LONGEST_LINE) {
      const fits = Math.max(0, LONGEST_LINE - this.column);
      this.overwrite(text.slice(0, fits));
      text = text.slice(fits);
      this.feed();
    }
    this.overwrite(text);
  }

  private overwrite(text: string): void {
    if (text === '') return;
    const line = this.current;
    const end = this.column + text.length;
    if (this.column > line.text.length) line.text = line.text.padEnd(this.column);
    if (this.style !== 0 || line.runs.length > 0) line.runs = paint(line.runs, this.column, end, this.style);
    if (this.column === line.text.length) line.text += text;
    else line.text = line.text.slice(0, this.column) + text + line.text.slice(end);
    this.column = end;
    if (line.text.length > this.longest) this.longest = line.text.length;
  }

  private feed(): void {
    this.column = 0;
    this.row += 1;
    if (this.row < this.live.length) return;
    this.live.push({ text: '', runs: [] });
    while (this.live.length > LIVE_LINES) {
      const { text, runs } = this.live.shift()!;
      this.kept.push({ text, runs: runs.length > 0 ? runs : undefined });
      this.row -= 1;
    }
  }

  private control(code: number): void {
    if (code === 10) this.feed();
    else if (code === 13) this.column = 0;
    else if (code === 8) this.column = Math.max(0, this.column - 1);
    else if (code === 9) this.put(' '.repeat(TAB - (this.column % TAB)));
  }

  private sequence(parameters: string, final: string): void {
    const count = Math.max(1, parseInt(parameters, 10) || 0);
    if (final === 'm') this.style = this.styles.change(this.style, parameters);
    else if (final === 'K') this.eraseLine(parseInt(parameters, 10) || 0);
    else if (final === 'J') this.eraseBelow(parseInt(parameters, 10) || 0);
    else if (final === 'A' || final === 'F') this.row = Math.max(0, this.row - count);
    else if (final === 'B' || final === 'E') this.row = Math.min(this.live.length - 1, this.row + count);
    else if (final === 'C') this.column = Math.min(LONGEST_LINE - 1, this.column + count);
    else if (final === 'D') this.column = Math.max(0, this.column - count);
    else if (final === 'G') this.column = Math.min(LONGEST_LINE - 1, count - 1);
    if (final === 'E' || final === 'F') this.column = 0;
  }

  private eraseLine(how: number): void {
    const line = this.current;
    if (how === 2) {
      line.text = '';
      line.runs = [];
    } else if (how === 1) {
      const to = Math.min(this.column + 1, line.text.length);
      line.text = ' '.repeat(to) + line.text.slice(to);
      line.runs = paint(line.runs, 0, to, 0);
    } else {
      line.text = line.text.slice(0, this.column);
      line.runs = cut(line.runs, this.column);
    }
  }

  // To clear all of a screen would take away what a reader of the record came for.
  private eraseBelow(how: number): void {
    if (how !== 0) return;
    this.eraseLine(0);
    this.live.length = this.row + 1;
  }
}
