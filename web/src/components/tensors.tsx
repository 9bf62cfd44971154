// The tensors of a checkpoint, and how they differ from those of another.
import { useMemo, useRef, useState } from 'preact/hooks';

import { formatCount, formatShape, plural } from '../format';
import type { CheckpointFacts, Tensor } from '../types';
import { Notice } from './notice';
import { Bytes } from './time';
import { useRowRange } from './virtual';

const ROW_HEIGHT = 28;
const MOST_VISIBLE = 18;

type Change = 'added' | 'removed' | 'changed' | 'same';

interface TensorRow {
  tensor: Tensor;
  change: Change;
  before: Tensor | null;
}

function shapeOrFile({ type, shape, file }: Tensor): string {
  return type === '' ? `in ${file ?? 'another file'}` : formatShape(shape);
}

function look(tensor: Tensor): string {
  return `${tensor.type} ${shapeOrFile(tensor)}`;
}

// Both are in the order of their names.
function compareTensors(tensors: readonly Tensor[], base: readonly Tensor[] | null): TensorRow[] {
  if (base === null) return tensors.map((tensor) => ({ tensor, change: 'same', before: null }));
  const before = new Map(base.map((tensor) => [tensor.name, tensor]));
  const rows = tensors.map((tensor): TensorRow => {
    const old = before.get(tensor.name) ?? null;
    before.delete(tensor.name);
    const change: Change = old === null ? 'added' : look(old) === look(tensor) ? 'same' : 'changed';
    return { tensor, change, before: old };
  });
  for (const tensor of before.values()) rows.push({ tensor, change: 'removed', before: tensor });
  return rows;
}

function TensorLine({ row: { tensor, change, before }, top }: { row: TensorRow; top: number }) {
  return (
    <div role="row" class={`tensor-row change-${change}`} style={{ transform: `translateY(${top}px)` }}>
      <span role="cell" class="mono tensor-name" title={tensor.name}>
        {change === 'same' ? '' : <span class="change-sign">{change} </span>}
        {tensor.name}
      </span>
      <span role="cell" class="mono">
        {tensor.type}
      </span>
      <span role="cell" class="mono">
        {change === 'changed' && before ? `${look(before)} → ` : ''}
        {shapeOrFile(tensor)}
      </span>
      <span role="cell" class="tensor-bytes">
        <Bytes count={tensor.bytes} />
      </span>
    </div>
  );
}

interface TensorsProps {
  facts: CheckpointFacts;
  base: CheckpointFacts | null;
}

export function Tensors({ facts, base }: TensorsProps) {
  const [filter, setFilter] = useState('');
  const [onlyChanges, setOnlyChanges] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => compareTensors(facts.tensors, base?.tensors ?? null), [facts, base]);
  const wanted = filter.trim().toLowerCase();
  const shown = rows.filter(
    ({ tensor, change }) =>
      (!onlyChanges || base === null || change !== 'same') && `${tensor.name} ${tensor.type}`.toLowerCase().includes(wanted),
  );
  const changes = rows.filter((row) => row.change !== 'same').length;
  const { first, end } = useRowRange(scroller, shown.length, ROW_HEIGHT);
  const metadata = Object.entries(facts.metadata);
  return (
    <div class="tensors">
      {facts.dangerous.length > 0 && (
        <Notice kind="bad" title="Loading this file runs code." hint={`It would call ${facts.dangerous.join(', ')}.`} />
      )}
      {facts.incomplete && <Notice kind="warn" title="The file is not whole." hint={facts.incomplete} />}
      <div class="toolbar">
        <input
          type="search"
          class="input"
          placeholder="Filter tensors"
          aria-label="Filter tensors"
          spellcheck={false}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <span class="dim number" role="status">
          {shown.length === rows.length ? plural(rows.length, 'tensor') : `${formatCount(shown.length)} of ${formatCount(rows.length)}`}
          {base && `, ${plural(changes, 'change')}`}
        </span>
        {base && (
          <label class="field">
            <input type="checkbox" checked={onlyChanges} onChange={() => setOnlyChanges(!onlyChanges)} />
            Only changes
          </label>
        )}
      </div>
      <div
        class="tensor-list"
        ref={scroller}
        tabIndex={0}
        role="table"
        aria-label="Tensors"
        aria-rowcount={shown.length}
        style={{ height: `${Math.min(MOST_VISIBLE, Math.max(2, shown.length)) * ROW_HEIGHT}px` }}
      >
        <div role="rowgroup" style={{ height: `${shown.length * ROW_HEIGHT}px`, position: 'relative' }}>
          {shown.slice(first, end).map((row, index) => (
            <TensorLine key={row.tensor.name} row={row} top={(first + index) * ROW_HEIGHT} />
          ))}
        </div>
      </div>
      {metadata.length > 0 && (
        <details>
          <summary>{plural(metadata.length, 'entry', 'entries')} of metadata</summary>
          <dl class="facts">
            {metadata.map(([name, value]) => (
              <div key={name} class="fact">
                <dt>{name}</dt>
                <dd class="mono">{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </div>
  );
}
