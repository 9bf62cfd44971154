// The chart of one tag, with what its lines are worth under the pointer or at their end.
import { useCallback, useRef, useState } from 'preact/hooks';

import { ErrorNotice } from '../components/notice';
import { exactUtc, formatDuration, formatNumber, formatTime } from '../format';
import { useIsNear } from '../hooks';
import type { TaggedLine } from './lines';
import { Plot, PLOT_HEIGHT, type PlotOptions, type Reading } from './plot';
import { useChartPoints, type Axis, type Zoom } from './points';

function placeText(axis: Axis, x: number): string {
  if (axis === 'step') return `step ${x.toLocaleString('en-US')}`;
  if (axis === 'relative') return formatDuration(x);
  return formatTime(new Date(x * 1000));
}

function LineValue({ tagged, at, isSmoothing }: { tagged: TaggedLine; at: Reading['values'][number] | null; isSmoothing: boolean }) {
  const { line, series } = tagged;
  const value = at ? at.value : series.last_value;
  return (
    <li class="legend-line" title={`${line.label}: min ${formatNumber(series.min)}, max ${formatNumber(series.max)}, ${series.points} points`}>
      <span class={`swatch dash-${line.dash % 4}`} style={{ color: `var(--series-${line.colour})` }} />
      <span class="legend-label">{line.label}</span>
      <span class="number legend-value">
        {isSmoothing && at ? `${formatNumber(at.smooth)} ` : ''}
        <span class={isSmoothing && at ? 'dim' : undefined}>{formatNumber(value)}</span>
      </span>
    </li>
  );
}

interface ChartCardProps {
  tag: string;
  lines: readonly TaggedLine[];
  options: PlotOptions;
  zoom: Zoom | null;
  onZoom: (zoom: Zoom | null) => void;
}

export function ChartCard({ tag, lines, options, zoom, onZoom }: ChartCardProps) {
  const card = useRef<HTMLDivElement>(null);
  const isNear = useIsNear(card);
  const { points, error } = useChartPoints(lines, options.axis, zoom, isNear);
  const [reading, setReading] = useState<Reading | null>(null);
  const onRead = useCallback((next: Reading | null) => setReading(next), []);
  const place = reading && placeText(options.axis, reading.x);
  const title = reading && options.axis === 'wall' ? exactUtc(new Date(reading.x * 1000)) : undefined;
  const summary = lines.map(({ line, series }) => `${line.label} ${formatNumber(series.last_value)}`).join(', ');
  return (
    <div class="chart-card" ref={card} data-tag={tag} data-points={lines.map(({ line }) => points.get(line.id)?.length ?? 0).join(' ')}>
      <div class="chart-head">
        <h3 class="chart-title" title={tag}>
          {tag}
        </h3>
        <span class="dim number chart-place" title={title}>
          {place}
        </span>
      </div>
      {error && <ErrorNotice error={error} />}
      <div role="img" aria-label={`Chart of ${tag}. Last values: ${summary}`}>
        {isNear && points.size > 0 && lines.length > 0 ? (
          <Plot lines={lines} points={points} options={options} zoom={zoom} onZoom={onZoom} onRead={onRead} />
        ) : (
          <div class="plot" style={{ height: `${PLOT_HEIGHT}px` }} aria-busy="true" />
        )}
      </div>
      <ul class="legend" tabIndex={lines.length > 4 ? 0 : undefined} aria-label={`Lines of ${tag}`}>
        {lines.map((tagged, index) => (
          <LineValue
            key={tagged.line.id}
            tagged={tagged}
            at={reading?.values[index] ?? null}
            isSmoothing={options.smoothing > 0}
          />
        ))}
      </ul>
    </div>
  );
}
