// Lines that do not change any more, kept in as little memory as may be: a string and an array for a thousand of them.

export const CHUNK_LINES = 1024;

// Column and style of each stretch of a line, one after the other; none: all of it is plain.
export type Runs = readonly number[];

export interface Line {
  text: string;
  runs: Runs | undefined;
}

export interface Chunk {
  // The lines with a line feed between them.
  text: string;
  // Where each ends in it.
  ends: Uint32Array;
  runs: Map<number, Runs> | undefined;
}

function lineOf(chunk: Chunk, index: number): Line {
  const begin = index === 0 ? 0 : (chunk.ends[index - 1] ?? 0) + 1;
  return { text: chunk.text.slice(begin, chunk.ends[index]), runs: chunk.runs?.get(index) };
}

function pack(lines: readonly Line[]): Chunk {
  const ends = new Uint32Array(lines.length);
  const runs = new Map<number, Runs>();
  let end = -1;
  lines.forEach((line, index) => {
    end += 1 + line.text.length;
    ends[index] = end;
    if (line.runs) runs.set(index, line.runs);
  });
  return { text: lines.map((line) => line.text).join('\n'), ends, runs: runs.size > 0 ? runs : undefined };
}

export class LineStore {
  readonly chunks: Chunk[] = [];
  // The last ones, fewer than a chunk.
  private open: Line[] = [];
  private characters = 0;
  // How many lines at the beginning were given up.
  dropped = 0;

  constructor(private readonly mostCharacters: number) {}

  // Of those that are kept.
  get length(): number {
    return this.chunks.length * CHUNK_LINES + this.open.length;
  }

  get openLines(): readonly Line[] {
    return this.open;
  }

  line(index: number): Line {
    const chunk = this.chunks[Math.floor(index / CHUNK_LINES)];
    if (chunk) return lineOf(chunk, index % CHUNK_LINES);
    return this.open[index - this.chunks.length * CHUNK_LINES] ?? { text: '', runs: undefined };
  }

  push(line: Line): void {
    this.open.push(line);
    if (this.open.length < CHUNK_LINES) return;
    const chunk = pack(this.open);
    this.open = [];
    this.chunks.push(chunk);
    this.characters += chunk.text.length;
    while (this.characters > this.mostCharacters && this.chunks.length > 1) {
      this.characters -= this.chunks.shift()?.text.length ?? 0;
      this.dropped += CHUNK_LINES;
    }
  }
}
