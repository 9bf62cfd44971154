// Which rows of a tall list are in sight.
import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

// Rows drawn beyond each edge, so that a slow frame shows no gap.
const MARGIN_ROWS = 12;

export interface RowRange {
  first: number;
  end: number; // one beyond the last
}

// `header` is what lies above the rows in the scrolled element.
export function useRowRange(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
  header = 0,
): RowRange {
  const [range, setRange] = useState<RowRange>({ first: 0, end: Math.min(count, 60) });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const update = (): void => {
      const top = Math.floor(element.scrollTop / rowHeight);
      const rows = Math.ceil((element.clientHeight - header) / rowHeight);
      const first = Math.max(0, Math.min(top, count) - MARGIN_ROWS);
      const end = Math.min(count, top + rows + 1 + MARGIN_ROWS);
      setRange((before) => (before.first === first && before.end === end ? before : { first, end }));
    };
    update();
    element.addEventListener('scroll', update, { passive: true });
    const observer = new ResizeObserver(update);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', update);
      observer.disconnect();
    };
  }, [scroller, count, rowHeight, header]);
  return { first: Math.min(range.first, count), end: Math.min(range.end, count) };
}
