// One experiment in the table.
import { memo } from './memo';
import { Icon } from '../components/icon';
import { Duration, StateBadge, outcome } from '../components/state';
import { exactUtc, formatNumber, formatShortTime, formatTime, shellCommand } from '../format';
import { experimentUrl } from '../router';
import type { Run } from '../types';
import type { ValueColumn } from './columns';
import { parameterKey } from './query';

interface RowProps {
  run: Run | undefined;
  columns: readonly ValueColumn[];
  index: number;
  top: number;
  isSelected: boolean;
  isCurrent: boolean;
}

function Started({ run }: { run: Run }) {
  const time = new Date(run.started);
  return (
    <time class="number" dateTime={run.started} title={`${formatTime(time)}, ${exactUtc(time)}`}>
      {formatShortTime(time)}
    </time>
  );
}

function MetricCell({ run, name }: { run: Run; name: string }) {
  const metric = run.metrics.find((each) => each.name === name);
  const place = metric && (metric.value === null ? 'not written yet' : `at step ${metric.step}`);
  return (
    <div role="gridcell" class="cell-value number" title={metric && `${name}, ${metric.goal}: ${metric.value ?? ''} ${place}`}>
      {metric ? formatNumber(metric.value) : ''}
    </div>
  );
}

function ParameterCell({ run, name }: { run: Run; name: string }) {
  const parameter = run.parameters.find((each) => each.name === name);
  return (
    <div role="gridcell" class="cell-value number" title={parameter && `${name}: ${parameter.value}`}>
      {parameter?.value}
    </div>
  );
}

export const ExperimentRow = memo(function ExperimentRow({ run, columns, index, top, isSelected, isCurrent }: RowProps) {
  const place = {
    role: 'row' as const,
    'aria-rowindex': index + 2, // the header is the first
    'data-index': index,
    tabIndex: isCurrent ? 0 : -1,
    style: { transform: `translateY(${top}px)` },
  };
  if (!run) {
    return (
      <div {...place} class="run-row run-row-loading" aria-busy="true">
        <div role="gridcell" class="cell-key">
          <span class="skeleton" />
        </div>
      </div>
    );
  }
  const command = shellCommand(run.command);
  const what = outcome(run);
  return (
    <div {...place} class="run-row" aria-selected={isSelected}>
      <div role="gridcell" class="cell-select">
        <input type="checkbox" tabIndex={-1} checked={isSelected} aria-label={`Select ${run.key}`} />
      </div>
      <div role="gridcell" class="cell-state" title={what || undefined}>
        <StateBadge status={run.status} />
      </div>
      <div role="gridcell" class="cell-key">
        <a href={experimentUrl(run.key)} tabIndex={-1}>
          {run.key}
        </a>
      </div>
      <div role="gridcell" class="cell-project">
        {run.project}
      </div>
      <div role="gridcell" class="cell-command mono" title={command}>
        {command}
      </div>
      {columns.map(({ name, key }) =>
        key === parameterKey(name) ? <ParameterCell key={key} run={run} name={name} /> : <MetricCell key={key} run={run} name={name} />,
      )}
      <div role="gridcell" class="cell-owner">
        {run.owner}
      </div>
      <div role="gridcell" class="cell-started">
        <Started run={run} />
      </div>
      <div role="gridcell" class="cell-duration">
        <Duration of={run} />
      </div>
      <div role="gridcell" class="cell-attempts number">
        {run.attempts > 1 ? run.attempts : ''}
      </div>
    </div>
  );
});

interface HeaderCellProps {
  name: string;
  className: string;
  order: 'ascending' | 'descending' | 'none' | null;
  onSort?: () => void;
}

// `order` is null where rows cannot be put in its order.
export function HeaderCell({ name, className, order, onSort }: HeaderCellProps) {
  return (
    <div role="columnheader" class={className} title={name} aria-sort={order ?? undefined}>
      {order === null ? (
        name
      ) : (
        <button type="button" class="sort-button" onClick={onSort}>
          <span class="sort-name">{name}</span>
          <span class="sort-sign">
            {order !== 'none' && <Icon name={order === 'ascending' ? 'up' : 'down'} />}
          </span>
        </button>
      )}
    </div>
  );
}
