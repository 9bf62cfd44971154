// The output on the page: of however many lines only those in sight are drawn.
import type { RefObject } from 'preact';
import { useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import { useMedia, useRerender, useSize } from '../hooks';
import { LineView } from './line_view';
import type { OutputReader } from './reader';
import { Rows } from './rows';
import { TallScroll } from './scroll';
import type { Match } from './search';

export const ROW_HEIGHT = 18;
const GUTTER_CHARACTERS = 8;
// Beyond a right edge that is moved for each longer line the scroll bar would never rest.
const WIDTH_STEP = 64;

export interface TerminalHandle {
  reveal: (match: Match) => void;
  toEnd: () => void;
  firstLine: () => number;
}

// To be rendered again whenever the reader has changed.
interface TerminalProps {
  reader: OutputReader;
  isWrapped: boolean;
  isFollowing: boolean;
  onFollow: (isFollowing: boolean) => void;
  search: string;
  match: Match | null;
  handle: RefObject<TerminalHandle | null>;
}

function useCharacterWidth(): [RefObject<HTMLSpanElement | null>, number] {
  const probe = useRef<HTMLSpanElement>(null);
  const [width, setWidth] = useState(7.2);
  useLayoutEffect(() => {
    const measured = (probe.current?.getBoundingClientRect().width ?? 0) / 100;
    if (measured > 0) setWidth(measured);
  }, []);
  return [probe, width];
}

export function Terminal({ reader, isWrapped, isFollowing, onFollow, search, match, handle }: TerminalProps) {
  const { screen } = reader;
  const frame = useRef<HTMLDivElement>(null);
  const scroll = useRef<TallScroll | null>(null);
  const rerender = useRerender();
  const size = useSize(frame);
  const [probe, character] = useCharacterWidth();
  // A narrow screen has no room for numbers of lines.
  const hasGutter = !useMedia('(max-width: 720px)');
  const gutter = hasGutter ? Math.ceil(GUTTER_CHARACTERS * character) : 0;
  const fitting = Math.max(20, Math.floor((size.width - gutter - 8) / character));
  const columns = isWrapped ? fitting : null;
  const rows = useMemo(() => new Rows(screen, columns), [screen, columns]);
  const count = rows.count;
  const height = count * ROW_HEIGHT;

  // What is at the top stays there when lines are wrapped otherwise.
  const topLine = useRef(0);

  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const tall = new TallScroll(element);
    scroll.current = tall;
    const onScroll = (): void => {
      const moved = tall.follow();
      const isAtEnd = tall.top >= tall.bottom - 1;
      if (moved < 0 && !isAtEnd) onFollow(false);
      else if (moved > 0 && isAtEnd && reader.state === 'live') onFollow(true);
      rerender();
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, [reader, onFollow, rerender]);

  const lastRows = useRef(rows);
  useLayoutEffect(() => {
    const tall = scroll.current;
    if (!tall) return;
    const before = tall.top;
    tall.setHeight(height);
    if (isFollowing) tall.scrollTo(tall.bottom);
    else if (lastRows.current !== rows) tall.scrollTo(rows.rowOf(topLine.current, 0) * ROW_HEIGHT);
    lastRows.current = rows;
    if (tall.top !== before) rerender();
  }, [height, rows, isFollowing, size, rerender]);

  useImperativeHandle(
    handle,
    () => ({
      reveal: ({ line, column }) => {
        const tall = scroll.current;
        const element = frame.current;
        if (!tall || !element) return;
        const top = rows.rowOf(line, column) * ROW_HEIGHT;
        const isInSight = top >= tall.top && top + ROW_HEIGHT <= tall.top + element.clientHeight;
        if (!isInSight) tall.scrollTo(top - element.clientHeight / 2);
        const left = columns === null ? column * character : 0;
        const width = element.clientWidth - gutter;
        if (left < element.scrollLeft || left > element.scrollLeft + width - 80) element.scrollLeft = left - width / 2;
        rerender();
      },
      toEnd: () => {
        const tall = scroll.current;
        tall?.scrollTo(tall.bottom);
        rerender();
      },
      firstLine: () => topLine.current,
    }),
    [rows, columns, character, gutter, rerender],
  );

  const top = Math.min(scroll.current?.top ?? 0, Math.max(0, height - size.height));
  const firstRow = Math.floor(top / ROW_HEIGHT);
  const lastRow = Math.min(count, Math.ceil((top + size.height) / ROW_HEIGHT) + 1);
  const lines = [];
  let place = rows.place(firstRow);
  topLine.current = place.line;
  for (let row = firstRow; row < lastRow; ++row) {
    const line = screen.line(place.line);
    const from = columns === null ? 0 : place.part * columns;
    const to = columns === null ? line.text.length : Math.min(line.text.length, from + columns);
    const marks = search ? { text: search, current: match?.line === place.line ? match.column : null } : null;
    lines.push(
      <div key={row} class="t-row">
        {hasGutter && <span class="t-number" data-number={place.part === 0 ? screen.kept.dropped + place.line + 1 : ''} />}
        <span class="t-text">
          <LineView line={line} from={from} to={to} styles={screen.styles} marks={marks} />
        </span>
      </div>,
    );
    const isLastPart = columns === null || to >= line.text.length;
    place = isLastPart ? { line: place.line + 1, part: 0 } : { line: place.line, part: place.part + 1 };
  }
  const widest = Math.ceil(screen.longest / WIDTH_STEP) * WIDTH_STEP;
  const width = columns === null ? Math.max(size.width, gutter + Math.ceil((widest + 2) * character)) : size.width;
  return (
    <div class="terminal" ref={frame} tabIndex={0} role="region" aria-label="Output">
      <span class="t-probe" ref={probe} aria-hidden="true">
        {'0'.repeat(100)}
      </span>
      <div class="t-whole" style={{ height: `${TallScroll.elementHeight(height)}px`, width: `${width}px` }}>
        <div class="t-view" style={{ height: `${Math.min(height, size.height)}px` }}>
          <div style={{ transform: `translateY(${-(top % ROW_HEIGHT)}px)` }}>{lines}</div>
        </div>
      </div>
    </div>
  );
}
