// One row of the screen: its text in stretches of one style, and what a search has found in it.
import type { JSX } from 'preact';

import type { Line } from './lines';
import { searchPattern } from './search';
import type { Styles } from './styles';

interface Stretch {
  text: string;
  style: number;
  mark: 'none' | 'match' | 'current';
}

export interface Marks {
  text: string;
  // The column of the match that was gone to, if it is in this line.
  current: number | null;
}

// The columns `from` to `to` of a line.
function stretches({ text, runs = [] }: Line, from: number, to: number, marks: Marks | null): Stretch[] {
  const cuts = new Set([from, to]);
  for (let at = 0; at < runs.length; at += 2) cuts.add(runs[at]!);
  const found: [number, number][] = [];
  if (marks) {
    for (const match of text.matchAll(searchPattern(marks.text))) {
      found.push([match.index, match.index + match[0].length]);
      cuts.add(match.index).add(match.index + match[0].length);
    }
  }
  const sorted = [...cuts].filter((cut) => cut >= from && cut <= to).sort((a, b) => a - b);
  const result: Stretch[] = [];
  let run = 0;
  let style = 0;
  let next = 0;
  for (let at = 0; at + 1 < sorted.length; ++at) {
    const begin = sorted[at]!;
    for (; run < runs.length && runs[run]! <= begin; run += 2) style = runs[run + 1]!;
    while (next < found.length && found[next]![1] <= begin) next += 1;
    const match = found[next];
    const isMatch = match !== undefined && match[0] <= begin;
    const mark = !isMatch ? 'none' : match[0] === marks?.current ? 'current' : 'match';
    result.push({ text: text.slice(begin, sorted[at + 1]), style, mark });
  }
  return result;
}

interface LineViewProps {
  line: Line;
  from: number;
  to: number;
  styles: Styles;
  marks: Marks | null;
}

export function LineView({ line, from, to, styles, marks }: LineViewProps): JSX.Element {
  if (!line.runs && !marks) return <>{line.text.slice(from, to)}</>;
  return (
    <>
      {stretches(line, from, to, marks).map(({ text, style, mark }, index) => {
        if (mark !== 'none') {
          return (
            <mark key={index} class={mark === 'current' ? 'mark-current' : undefined}>
              {text}
            </mark>
          );
        }
        if (style === 0) return text;
        const { className, css } = styles.style(style);
        return (
          <span key={index} class={className} style={css}>
            {text}
          </span>
        );
      })}
    </>
  );
}
