// How charts are drawn; all of it is in the address.
import { changeQuery } from '../router';
import type { PlotOptions } from './plot';
import type { Axis } from './points';

export const AXES: { axis: Axis; name: string }[] = [
  { axis: 'step', name: 'Step' },
  { axis: 'relative', name: 'Relative time' },
  { axis: 'wall', name: 'Wall time' },
];

export function parseOptions(query: URLSearchParams): PlotOptions {
  const smoothing = Number(query.get('smoothing') ?? 0);
  return {
    axis: AXES.find(({ axis }) => axis === query.get('axis'))?.axis ?? 'step',
    isLog: query.get('scale') === 'log',
    smoothing: smoothing > 0 && smoothing < 1 ? smoothing : 0,
  };
}

interface ChartToolbarProps {
  options: PlotOptions;
  filter: string;
  isZoomed: boolean;
  onAxis: (axis: Axis) => void;
  onReset: () => void;
}

export function ChartToolbar({ options, filter, isZoomed, onAxis, onReset }: ChartToolbarProps) {
  return (
    <div class="toolbar chart-toolbar">
      <input
        type="search"
        class="input"
        placeholder="Filter tags"
        aria-label="Filter tags"
        spellcheck={false}
        value={filter}
        onInput={(event) => changeQuery({ tags: event.currentTarget.value || null }, 'replace')}
      />
      <label class="slider">
        Smoothing
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={options.smoothing}
          onInput={(event) => {
            const { value } = event.currentTarget;
            changeQuery({ smoothing: Number(value) > 0 ? value : null }, 'replace');
          }}
        />
        <output class="number">{options.smoothing.toFixed(2)}</output>
      </label>
      <label class="field">
        Axis
        <select class="input" value={options.axis} onChange={(event) => onAxis(event.currentTarget.value as Axis)}>
          {AXES.map(({ axis, name }) => (
            <option key={axis} value={axis}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="button toggle"
        aria-pressed={options.isLog}
        onClick={() => changeQuery({ scale: options.isLog ? null : 'log' }, 'replace')}
      >
        Log scale
      </button>
      <button type="button" class="button" disabled={!isZoomed} onClick={onReset}>
        Reset zoom
      </button>
    </div>
  );
}
