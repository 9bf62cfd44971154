// All experiments.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { CopyButton } from '../components/copy_button';
import { DeletionControl } from '../components/deletion_control';
import { ErrorNotice, Notice } from '../components/notice';
import { isLive } from '../components/state';
import { StopControl } from '../components/stop_control';
import { followChanges } from '../events';
import { ColumnChooser } from '../experiments/column_chooser';
import { columnChoice, shownColumns } from '../experiments/columns';
import { Filters } from '../experiments/filters';
import { ExperimentList } from '../experiments/list';
import { isFiltered, parseQuery } from '../experiments/query';
import { useSelection, type Selection } from '../experiments/selection';
import { ExperimentTable } from '../experiments/table';
import { formatCount, plural } from '../format';
import { useFollow, useTitle } from '../hooks';
import { useMayChange } from '../rights';
import { changeQuery, useLocation } from '../router';
import { useStore } from '../store';
import type { Run, RunList } from '../types';

// Changes that come together are loaded together.
const REFRESH_DELAY_MS = 300;
const MOST_COMPARED = 20;
const MOST_PROBLEMS = 3;

// The list that was shown last, for who comes back to it.
let last: { address: string; list: ExperimentList } | null = null;

function listFor(address: string): ExperimentList {
  if (last?.address === address) {
    void last.list.refresh();
    return last.list;
  }
  const list = new ExperimentList(parseQuery(new URLSearchParams(address)));
  last = { address, list };
  list.show(0, 0);
  return list;
}

function FirstSteps() {
  const command = 'studio run train.py';
  return (
    <div class="empty">
      <h2>No experiments yet</h2>
      <p>Put “studio run” in front of the command that you already type:</p>
      <p class="command-line">
        <code>{command}</code>
        <CopyButton text={command} name="command" />
      </p>
      <p class="dim">It appears here as soon as it starts.</p>
    </div>
  );
}

function NothingFound({ isDeleted }: { isDeleted: boolean }) {
  const showAll = (): void => changeQuery({ search: null, project: null, status: null, deleted: null });
  return (
    <div class="empty">
      <h2>No {isDeleted ? 'deleted ' : ''}experiment is like that</h2>
      <p>
        <button type="button" class="button" onClick={showAll}>
          Show all
        </button>
      </p>
    </div>
  );
}

// The other experiments are listed.
function Problems({ problems }: { problems: RunList['problems'] }) {
  if (problems.length === 0) return null;
  const more = problems.length - MOST_PROBLEMS;
  return (
    <Notice kind="warn" title={`${plural(problems.length, 'experiment')} cannot be read, and ${problems.length === 1 ? 'is' : 'are'} not listed`}>
      <ul class="plain-list">
        {problems.slice(0, MOST_PROBLEMS).map(({ experiment, problem, hint }) => (
          <li key={experiment}>
            {problem}
            {hint && <span class="notice-hint"> ({hint})</span>}
          </li>
        ))}
        {more > 0 && <li class="notice-hint">and {formatCount(more)} more: “studio runs list” names them</li>}
      </ul>
    </Notice>
  );
}

function SelectionBar({ list, selection }: { list: ExperimentList; selection: Selection }) {
  const keys = [...selection.keys];
  const mayChange = useMayChange();
  const runOf = (key: string): Run | undefined => list.row(list.indexOf(key) ?? -1);
  const isKeyLive = (key: string): boolean => {
    const run = runOf(key);
    return run !== undefined && isLive(run.status);
  };
  const changeable = keys.filter((key) => mayChange(runOf(key)));
  const live = changeable.filter(isKeyLive);
  const ended = changeable.filter((key) => !isKeyLive(key));
  const canCompare = keys.length > 1 && keys.length <= MOST_COMPARED;
  return (
    <div class="selection-bar" role="region" aria-label="Selected experiments">
      <span class="number">{formatCount(keys.length)} selected</span>
      {canCompare ? (
        <a class="button button-primary" href={`/compare?keys=${keys.map(encodeURIComponent).join(',')}`}>
          Compare
        </a>
      ) : (
        <span class="button button-off" aria-disabled="true" role="link" title={`Select 2 to ${MOST_COMPARED}`}>
          Compare
        </span>
      )}
      <StopControl keys={live} />
      <DeletionControl keys={ended} restores={list.query.deleted} onDone={selection.clear} />
      <button type="button" class="button button-quiet" onClick={selection.clear}>
        Clear
      </button>
    </div>
  );
}

export function ExperimentsPage() {
  useTitle('');
  const { query } = useLocation();
  const address = query.toString();
  const list = useMemo(() => listFor(address), [address]);
  // The rows of the list before stay until this one has any.
  const shown = useRef(list);
  if (list.total !== null || list.error) shown.current = list;
  const { metrics, parameters } = shown.current;
  const choice = useStore(columnChoice);
  const values = useMemo(() => shownColumns(metrics, parameters, choice), [metrics, parameters, choice]);
  const selection = useSelection(shown.current);
  const [isAtTop, setIsAtTop] = useState(true);
  useFollow(list);

  useEffect(
    () =>
      followChanges(
        { change: (run, sequence) => list.apply(run, sequence), reset: () => void list.refresh() },
        'wait',
      ),
    [list],
  );

  const fresh = list.newKeys.size;
  const isBehind = fresh > 0 || list.isOutdated;
  const refreshesItself = list.isWrong || (isBehind && isAtTop && list.isNewestFirst);
  useEffect(() => {
    if (!refreshesItself) return;
    const timeout = setTimeout(() => void list.refresh(), REFRESH_DELAY_MS);
    return () => clearTimeout(timeout);
  }, [list, refreshesItself, list.round]);

  const refresh = useCallback(() => {
    list.show(0, 0);
    document.querySelector('.run-table')?.scrollTo({ top: 0 });
    void list.refresh();
  }, [list]);

  const projects = [...new Set([...list.runs()].map((run) => run.project))].sort();
  const isEmpty = list.total === 0;
  return (
    <div class="page page-full">
      <div class="page-head">
        <h1 class="page-title">Experiments</h1>
        <span class="count number" role="status">
          {list.total === null ? '' : plural(list.total, list.query.deleted ? 'deleted experiment' : 'experiment')}
        </span>
        <span class="fresh">
          {isBehind && !refreshesItself && (
            <button type="button" class="button" onClick={refresh}>
              {fresh > 0 ? `${formatCount(fresh)} new` : 'Refresh'}
            </button>
          )}
        </span>
        <ColumnChooser metrics={metrics} parameters={parameters} shown={values} />
      </div>
      <Filters query={list.query} projects={projects} values={values} />
      {list.error && <ErrorNotice error={list.error} />}
      <Problems problems={shown.current.problems} />
      <div class="table-frame">
        <ExperimentTable list={shown.current} values={values} selection={selection} onTop={setIsAtTop} />
        {isEmpty && (isFiltered(list.query) ? <NothingFound isDeleted={list.query.deleted} /> : <FirstSteps />)}
        {selection.keys.size > 0 && <SelectionBar list={shown.current} selection={selection} />}
      </div>
    </div>
  );
}
