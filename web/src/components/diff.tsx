// A diff as git writes it, coloured.
import { useMemo } from 'preact/hooks';

type LineKind = 'file' | 'hunk' | 'added' | 'removed' | 'same';

// Drawn at once; a diff has at most 256 kB, but of short lines that may be many.
const MOST_LINES = 4000;

function kindOf(line: string): LineKind {
  if (/^(diff |index |--- |\+\+\+ |new file|deleted file|similarity|rename |old mode|new mode)/.test(line)) return 'file';
  if (line.startsWith('@@')) return 'hunk';
  if (line.startsWith('+')) return 'added';
  if (line.startsWith('-')) return 'removed';
  return 'same';
}

export function Diff({ text }: { text: string }) {
  const lines = useMemo(() => text.replace(/\n$/, '').split('\n'), [text]);
  return (
    <pre class="diff" tabIndex={0} aria-label="Changes that were not committed">
      {lines.slice(0, MOST_LINES).map((line, index) => (
        <div key={index} class={`diff-${kindOf(line)}`}>
          {line || ' '}
        </div>
      ))}
      {lines.length > MOST_LINES && <div class="dim">… {lines.length - MOST_LINES} more lines</div>}
    </pre>
  );
}
