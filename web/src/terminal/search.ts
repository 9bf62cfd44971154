// Where a text occurs in the output. What cannot change any more is gone through once, a part at a time.
import { CHUNK_LINES } from './lines';
import type { Screen } from './screen';

// As a line number and a column.
export interface Match {
  line: number;
  column: number;
}

const MOST_MATCHES = 500_000;

export function searchPattern(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'gi');
}

export class Search {
  private readonly pattern: RegExp;
  // Lines count from the first ever written, so that they stay true when the first ones are given up.
  private readonly lines: number[] = [];
  private readonly columns: number[] = [];
  private keptMatches = 0;
  private searchedChunks = 0;

  constructor(
    private readonly screen: Screen,
    readonly text: string,
  ) {
    this.pattern = searchPattern(text);
    this.searchedChunks = screen.kept.dropped / CHUNK_LINES;
  }

  get count(): number {
    return this.lines.length;
  }

  get isFull(): boolean {
    return this.lines.length >= MOST_MATCHES;
  }

  match(index: number): Match {
    const line = (this.lines[index] ?? 0) - this.screen.kept.dropped;
    return { line: Math.max(0, line), column: this.columns[index] ?? 0 };
  }

  // The first match at or behind a line; the first of all if there is none.
  from(line: number): number {
    const wanted = line + this.screen.kept.dropped;
    let low = 0;
    let high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lines[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low < this.lines.length ? low : 0;
  }

  // Goes on until `deadline`; false if there is more to go through.
  advance(deadline: number): boolean {
    this.forget(this.keptMatches);
    const { kept } = this.screen;
    const droppedChunks = kept.dropped / CHUNK_LINES;
    this.searchedChunks = Math.max(this.searchedChunks, droppedChunks);
    while (this.searchedChunks - droppedChunks < kept.chunks.length) {
      if (performance.now() > deadline) return false;
      const chunk = kept.chunks[this.searchedChunks - droppedChunks]!;
      this.searchChunk(chunk.text, chunk.ends, this.searchedChunks * CHUNK_LINES);
      this.searchedChunks += 1;
      this.keptMatches = this.lines.length;
    }
    const first = kept.chunks.length * CHUNK_LINES;
    for (let index = first; index < this.screen.length; ++index)
      this.searchText(this.screen.line(index).text, index + kept.dropped);
    return true;
  }

  private forget(count: number): void {
    this.lines.length = count;
    this.columns.length = count;
  }

  private searchText(text: string, line: number): void {
    for (const match of text.matchAll(this.pattern)) this.add(line, match.index);
  }

  private searchChunk(text: string, ends: Uint32Array, firstLine: number): void {
    let line = 0;
    for (const match of text.matchAll(this.pattern)) {
      while (ends[line]! < match.index) line += 1;
      this.add(firstLine + line, match.index - (line === 0 ? 0 : ends[line - 1]! + 1));
    }
  }

  private add(line: number, column: number): void {
    if (this.isFull) return;
    this.lines.push(line);
    this.columns.push(column);
  }
}
