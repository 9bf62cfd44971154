// A chart for each tag of one or several attempts.
import type { ComponentChildren } from 'preact';
import { useCallback, useMemo, useState } from 'preact/hooks';

import { ErrorNotice, Notice } from '../components/notice';
import { formatCount } from '../format';
import { changeQuery, useLocation } from '../router';
import { ChartCard } from './chart_card';
import { groupTags, tagFilter, useScalarIndexes, useTags, type Line, type ScalarSource } from './lines';
import { NothingWritten } from './nothing';
import type { PlotOptions } from './plot';
import type { Axis, Zoom } from './points';
import { TensorBoardControl } from './tensorboard';
import { ChartToolbar, parseOptions } from './toolbar';

function LineChooser({ lines, hidden, onToggle }: { lines: readonly Line[]; hidden: ReadonlySet<string>; onToggle: (id: string) => void }) {
  return (
    <div class="line-chooser" role="group" aria-label="Runs">
      {lines.map(({ id, label, colour, dash }) => (
        <label key={id} class="line-choice">
          <input type="checkbox" checked={!hidden.has(id)} onChange={() => onToggle(id)} />
          <span class={`swatch dash-${dash % 4}`} style={{ color: `var(--series-${colour})` }} />
          {label}
        </label>
      ))}
    </div>
  );
}

function usePlotOptions(query: URLSearchParams): PlotOptions {
  const { axis, isLog, smoothing } = parseOptions(query);
  return useMemo(() => ({ axis, isLog, smoothing }), [axis, isLog, smoothing]);
}

interface ScalarChartsProps {
  sources: readonly ScalarSource[];
  // What comes below them, once it is known how much they take, and says so if there is nothing at all.
  children?: (hasScalars: boolean) => ComponentChildren;
}

export function ScalarCharts({ sources, children }: ScalarChartsProps) {
  const { query } = useLocation();
  const options = usePlotOptions(query);
  const filter = query.get('tags') ?? '';
  const { indexes, error } = useScalarIndexes(sources);
  const { lines, byTag } = useTags(sources, indexes);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set<string>());
  const [zoom, setZoom] = useState<Zoom | null>(null);

  const toggle = useCallback((id: string) => {
    setHidden((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);
  const chooseAxis = (axis: Axis): void => {
    // A range of steps is none of times.
    setZoom(null);
    changeQuery({ axis: axis === 'step' ? null : axis }, 'replace');
  };

  const shown = useMemo(
    () => new Map([...byTag].map(([tag, tagged]) => [tag, tagged.filter(({ line }) => !hidden.has(line.id))])),
    [byTag, hidden],
  );
  const tags = [...byTag.keys()].filter(tagFilter(filter));
  const isLoaded = indexes.every((index) => index !== null);
  const problems = indexes.flatMap((index) => index?.problems ?? []);
  return (
    <div class="charts">
      <ChartToolbar options={options} filter={filter} isZoomed={zoom !== null} onAxis={chooseAxis} onReset={() => setZoom(null)} />
      <TensorBoardControl sources={sources} />
      {error && <ErrorNotice error={error} />}
      {problems.length > 0 && (
        <Notice kind="warn" title="Some event files could not be read whole.">
          <ul class="plain-list">
            {problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </Notice>
      )}
      {lines.length > 1 && <LineChooser lines={lines} hidden={hidden} onToggle={toggle} />}
      {!isLoaded && !error && <div class="page-placeholder" aria-busy="true" />}
      {isLoaded && byTag.size === 0 && !children && <NothingWritten what="scalars" />}
      {byTag.size > 0 && tags.length === 0 && <p class="dim">No tag is like that.</p>}
      {[...groupTags(tags)].map(([name, group]) => (
        <details key={name} class="chart-group" open>
          <summary>
            <h2>{name || 'Other'}</h2> <span class="dim number">{formatCount(group.length)}</span>
          </summary>
          <div class="chart-grid">
            {group.map((tag) => (
              <ChartCard key={tag} tag={tag} lines={shown.get(tag) ?? []} options={options} zoom={zoom} onZoom={setZoom} />
            ))}
          </div>
        </details>
      ))}
      {isLoaded && children?.(byTag.size > 0)}
    </div>
  );
}
