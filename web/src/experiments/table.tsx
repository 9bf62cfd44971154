// The table of experiments: only the rows in sight are in the page, one of them has the keyboard.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { useRowRange } from '../components/virtual';
import { useMedia, useRerender } from '../hooks';
import { experimentUrl, navigate } from '../router';
import type { ValueColumn } from './columns';
import type { ExperimentList } from './list';
import { changeSort, type Sort, type SortKey, USUAL_SORT } from './query';
import { ExperimentRow, HeaderCell } from './row';
import type { Selection } from './selection';

const ROW_HEIGHT = 36;
// On a narrow screen a row has two lines, and there is no header.
const TALL_ROW_HEIGHT = 60;
const HEADER_HEIGHT = 34;
const NARROW = '(max-width: 720px)';

interface Column {
  name: string;
  className: string;
  sort: SortKey | null;
}

const COLUMNS: readonly Column[] = [
  { name: 'State', className: 'cell-state', sort: 'status' },
  { name: 'Key', className: 'cell-key', sort: 'key' },
  { name: 'Project', className: 'cell-project', sort: 'project' },
  { name: 'Command', className: 'cell-command', sort: null },
  { name: 'Owner', className: 'cell-owner', sort: 'owner' },
  { name: 'Started', className: 'cell-started', sort: 'started' },
  { name: 'Duration', className: 'cell-duration', sort: 'duration' },
  { name: 'Attempts', className: 'cell-attempts', sort: null },
];

// Values stand where one looks first after what was run.
const BEFORE_VALUES = COLUMNS.findIndex(({ sort }) => sort === 'owner');

function columnsWith(values: readonly ValueColumn[]): Column[] {
  const added = values.map(({ name, key }) => ({ name, className: 'cell-value', sort: key }));
  return [...COLUMNS.slice(0, BEFORE_VALUES), ...added, ...COLUMNS.slice(BEFORE_VALUES)];
}

// Times and durations are looked at from their large end.
const DESCENDS_FIRST: ReadonlySet<SortKey> = new Set(['created', 'started', 'duration']);

function nextSort(now: Sort, key: SortKey): Sort {
  if (now.key !== key) return { key, isDescending: DESCENDS_FIRST.has(key) };
  if (now.isDescending === DESCENDS_FIRST.has(key)) return { key, isDescending: !now.isDescending };
  // The order of creation has no column of its own: the third click returns to it.
  return USUAL_SORT;
}

function orderOf(now: Sort, key: SortKey): 'ascending' | 'descending' | 'none' {
  if (now.key !== key) return 'none';
  return now.isDescending ? 'descending' : 'ascending';
}

function rowOf({ target }: Event): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>('[role=row][data-index]') : null;
}

interface TableProps {
  list: ExperimentList;
  values: readonly ValueColumn[];
  selection: Selection;
  onTop: (isAtTop: boolean) => void;
}

export function ExperimentTable({ list, values, selection, onTop }: TableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const isNarrow = useMedia(NARROW);
  const rowHeight = isNarrow ? TALL_ROW_HEIGHT : ROW_HEIGHT;
  const header = isNarrow ? 0 : HEADER_HEIGHT;
  const total = list.total ?? 0;
  const range = useRowRange(scroller, total, rowHeight, header);
  const [current, setCurrent] = useState(0);
  // Whether the row that becomes current shall get the keyboard.
  const wantsFocus = useRef(false);
  const rerender = useRerender();

  useEffect(() => list.show(range.first, Math.max(range.first, range.end - 1)), [list, range.first, range.end, total]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    element.scrollTop = list.scrollTop;
    setCurrent(0);
    onTop(list.scrollTop === 0);
    const remember = (): void => {
      list.scrollTop = element.scrollTop;
      onTop(element.scrollTop === 0);
    };
    element.addEventListener('scroll', remember, { passive: true });
    return () => element.removeEventListener('scroll', remember);
  }, [list, onTop]);

  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    scroller.current?.querySelector<HTMLElement>(`[data-index="${current}"]`)?.focus({ preventScroll: true });
  });

  const reveal = (index: number): void => {
    const element = scroller.current;
    if (!element) return;
    const top = index * rowHeight;
    const visible = element.clientHeight - header;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + visible) element.scrollTop = top + rowHeight - visible;
  };
  const moveTo = (index: number): void => {
    const next = Math.max(0, Math.min(total - 1, index));
    reveal(next);
    wantsFocus.current = true;
    setCurrent(next);
    rerender();
  };
  const open = (index: number): void => {
    const run = list.row(index);
    if (run) navigate(experimentUrl(run.key));
  };

  const onKey = (event: KeyboardEvent): void => {
    const row = rowOf(event);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = Number(row.dataset.index);
    const page = Math.max(1, Math.floor(((scroller.current?.clientHeight ?? 0) - header) / rowHeight) - 1);
    const steps: Record<string, number> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: total - 1,
    };
    const next = steps[event.key];
    if (next !== undefined) {
      if (event.shiftKey) {
        selection.extend(index);
        selection.extend(Math.max(0, Math.min(total - 1, next)));
      }
      moveTo(next);
    } else if (event.key === ' ') {
      if (event.shiftKey) selection.extend(index);
      else selection.toggle(index);
    } else if (event.key === 'Enter') {
      open(index);
    } else if (event.key === 'Escape') {
      selection.clear();
    } else {
      return;
    }
    event.preventDefault();
  };

  const onFocus = (event: FocusEvent): void => {
    const row = rowOf(event);
    if (row) setCurrent(Number(row.dataset.index));
  };
  const onClick = (event: MouseEvent): void => {
    const target = event.target instanceof Element ? event.target : null;
    const row = rowOf(event);
    if (!row || !target) return;
    const index = Number(row.dataset.index);
    setCurrent(index);
    const box = target.closest('.cell-select')?.querySelector('input');
    // The browser has changed it already, or will change it back: it shall show what is selected.
    if (box) setTimeout(() => (box.checked = row.getAttribute('aria-selected') === 'true'));
    if (event.shiftKey) {
      if (!box) event.preventDefault();
      // The browser would mark text up to here.
      getSelection()?.removeAllRanges();
      selection.extend(index);
    } else if (box || ((event.ctrlKey || event.metaKey) && !target.closest('a'))) {
      selection.toggle(index);
    } else if (!target.closest('a') && getSelection()?.isCollapsed !== false) {
      open(index);
    }
  };

  const { sort } = list.query;
  const rows: number[] = [];
  for (let index = range.first; index < range.end; ++index) rows.push(index);
  // The keyboard's row stays in the page when it is scrolled away, else the keyboard would be lost.
  if (current < total && (current < range.first || current >= range.end)) rows.push(current);

  return (
    <div
      class="run-table"
      style={{ '--value-columns': '88px '.repeat(values.length), '--values': values.length }}
      ref={scroller}
      role="grid"
      aria-label="Experiments"
      aria-multiselectable="true"
      aria-rowcount={list.total === null ? -1 : total + 1}
      aria-busy={list.total === null}
      onKeyDown={onKey}
      onFocusIn={onFocus}
      onClick={onClick}
    >
      <div role="rowgroup" class="run-head">
        <div role="row" class="run-row-head" aria-rowindex={1}>
          <div role="columnheader" class="cell-select">
            <span class="visually-hidden">Select</span>
          </div>
          {columnsWith(values).map(({ name, className, sort: key }) => (
            <HeaderCell
              key={key ?? name}
              name={name}
              className={className}
              order={key && orderOf(sort, key)}
              onSort={() => key && changeSort(nextSort(sort, key))}
            />
          ))}
        </div>
      </div>
      <div role="rowgroup" class="run-body" style={{ height: `${total * rowHeight}px` }}>
        {rows.map((index) => {
          const run = list.row(index);
          return (
            <ExperimentRow
              key={index}
              run={run}
              columns={values}
              index={index}
              top={index * rowHeight}
              isSelected={run !== undefined && selection.keys.has(run.key)}
              isCurrent={index === current}
            />
          );
        })}
      </div>
    </div>
  );
}
