// Rows of the screen for the lines of the output: a long line takes several when lines are wrapped.
import { CHUNK_LINES, type Chunk } from './lines';
import type { Screen } from './screen';

export interface RowPlace {
  line: number;
  part: number; // 0 for the first row of a line
}

export class Rows {
  // Rows before each chunk, and after the last.
  private before: number[] = [0];
  private dropped = 0;

  // `columns` is null if lines are not wrapped.
  constructor(
    private readonly screen: Screen,
    readonly columns: number | null,
  ) {}

  get count(): number {
    if (this.columns === null) return this.screen.length;
    this.update();
    let count = this.before[this.before.length - 1]!;
    for (let line = this.chunkLines; line < this.screen.length; ++line) count += this.rowsOf(this.screen.line(line).text.length);
    return count;
  }

  place(row: number): RowPlace {
    if (this.columns === null) return { line: row, part: 0 };
    this.update();
    let low = 0;
    let high = this.before.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.before[middle]! <= row) low = middle;
      else high = middle - 1;
    }
    let left = row - this.before[low]!;
    for (let line = low * CHUNK_LINES; line < this.screen.length; ++line) {
      const rows = this.rowsOf(this.screen.line(line).text.length);
      if (left < rows) return { line, part: left };
      left -= rows;
    }
    return { line: this.screen.length, part: 0 };
  }

  rowOf(line: number, column: number): number {
    if (this.columns === null) return line;
    this.update();
    const chunk = Math.min(Math.floor(line / CHUNK_LINES), this.before.length - 1);
    let row = this.before[chunk]!;
    for (let at = chunk * CHUNK_LINES; at < line; ++at) row += this.rowsOf(this.screen.line(at).text.length);
    return row + Math.floor(column / this.columns);
  }

  private get chunkLines(): number {
    return this.screen.kept.chunks.length * CHUNK_LINES;
  }

  private rowsOf(length: number): number {
    return Math.max(1, Math.ceil(length / this.columns!));
  }

  private update(): void {
    const { chunks, dropped } = this.screen.kept;
    if (dropped !== this.dropped) {
      this.before = [0];
      this.dropped = dropped;
    }
    for (let index = this.before.length - 1; index < chunks.length; ++index)
      this.before.push(this.before[index]! + this.rowsOfChunk(chunks[index]!));
  }

  private rowsOfChunk({ ends }: Chunk): number {
    let rows = 0;
    let begin = 0;
    for (const end of ends) {
      rows += this.rowsOf(end - begin);
      begin = end + 1;
    }
    return rows;
  }
}
