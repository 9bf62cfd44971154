// The histograms of one tag as a map: steps from left to right, values from bottom to top, the darker the more values lie
// there. Lines join the quantiles, as TensorBoard draws distributions.
import { useEffect, useMemo, useRef } from 'preact/hooks';

import { formatCount, formatNumber } from '../format';
import { useSize, type Size } from '../hooks';
import { useStore } from '../store';
import { colours, token } from '../theme';
import type { HistogramPoint, Histograms } from '../types';
import { seriesQuery, stepText, SummaryCard, useSeries, useStepChoice } from './card';
import type { SummaryProps } from './summaries';

// Where the columns of the steps meet, from 0 to 1: half way between steps.
export function edgesOf(steps: readonly number[]): number[] {
  const first = steps[0] ?? 0;
  const length = (steps.at(-1) ?? 0) - first;
  const inner = steps.slice(1).map((step, index) => ((step + steps[index]!) / 2 - first) / length);
  return [0, ...inner, 1];
}

function drawCounts(context: CanvasRenderingContext2D, { width, height }: Size, points: readonly HistogramPoint[], edges: readonly number[]): void {
  // By their share of the step's values: some steps may have more than others.
  const shares = points.map(({ counts }) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => (total > 0 ? count / total : 0));
  });
  const most = Math.max(...shares.map((row) => Math.max(...row)));
  context.fillStyle = token('--accent');
  shares.forEach((row, index) => {
    const left = Math.round(edges[index]! * width);
    const right = Math.max(Math.round(edges[index + 1]! * width), left + 1);
    row.forEach((share, bin) => {
      if (share === 0) return;
      // What is rare is to be seen too.
      context.globalAlpha = 0.08 + 0.82 * Math.sqrt(share / most);
      const top = Math.round(height * (1 - (bin + 1) / row.length));
      context.fillRect(left, top, right - left, Math.round(height * (1 - bin / row.length)) - top);
    });
  });
  context.globalAlpha = 1;
}

function drawQuantiles(context: CanvasRenderingContext2D, { width, height }: Size, data: Histograms, edges: readonly number[]): void {
  const range = data.greatest - data.least;
  const yOf = (value: number): number => (range > 0 ? height * (1 - (value - data.least) / range) : height / 2);
  const count = data.points[0]?.quantiles.length ?? 0;
  context.strokeStyle = token('--text');
  for (let quantile = 0; quantile < count; ++quantile) {
    const isMedian = quantile === (count - 1) / 2;
    context.globalAlpha = isMedian ? 0.9 : 0.35;
    context.lineWidth = isMedian ? 1.5 : 1;
    context.beginPath();
    data.points.forEach(({ quantiles }, index) => {
      const y = yOf(quantiles[quantile] ?? 0);
      // A single step is a line too.
      context.lineTo(data.points.length === 1 ? 0 : ((edges[index]! + edges[index + 1]!) / 2) * width, y);
      if (data.points.length === 1) context.lineTo(width, y);
    });
    context.stroke();
  }
  context.globalAlpha = 1;
}

function drawChosen(context: CanvasRenderingContext2D, { width, height }: Size, edges: readonly number[], index: number): void {
  const left = Math.round(edges[index]! * width);
  const right = Math.max(Math.round(edges[index + 1]! * width), left + 2);
  context.strokeStyle = token('--series-1');
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, 0.5, right - left - 1, height - 1);
}

function HeatMap({ data, index, label }: { data: Histograms; index: number; label: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(frame);
  const colourRound = useStore(colours);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!canvas.current || !context || size.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.current.width = Math.round(size.width * ratio);
    canvas.current.height = Math.round(size.height * ratio);
    context.scale(ratio, ratio);
    const edges = edgesOf(data.points.map(({ step }) => step));
    drawCounts(context, size, data.points, edges);
    drawQuantiles(context, size, data, edges);
    drawChosen(context, size, edges, index);
  }, [data, index, size, colourRound]);
  return (
    <div class="heat-frame" ref={frame} role="img" aria-label={label}>
      <canvas ref={canvas} />
    </div>
  );
}

export function HistogramCard({ path, series }: SummaryProps) {
  const card = useRef<HTMLDivElement>(null);
  const { data, error } = useSeries<Histograms>(card, `${path}/histograms?${seriesQuery(series)}`, series);
  const steps = useMemo(() => data?.points.map(({ step }) => step) ?? [], [data]);
  const choice = useStepChoice(steps);
  const point = data?.points[choice.index];
  const [least, greatest] = [point?.quantiles[0], point?.quantiles.at(-1)];
  const median = point?.quantiles[(point.quantiles.length - 1) / 2];
  const count = Math.round(point?.counts.reduce((sum, each) => sum + each, 0) ?? 0);
  const facts = `${formatCount(count)} values, least ${formatNumber(least)}, median ${formatNumber(median)}, greatest ${formatNumber(greatest)}`;
  return (
    <SummaryCard card={card} series={series} choice={choice} wallTime={point?.wall_time} error={error}>
      <div class="heat-map">
        <div class="heat-values dim number" aria-hidden="true">
          <span>{data && formatNumber(data.greatest)}</span>
          <span>{data && formatNumber(data.least)}</span>
        </div>
        {data ? (
          <HeatMap data={data} index={choice.index} label={`Histograms of ${series.tag}. At ${stepText(point?.step)}: ${facts}`} />
        ) : (
          <div class="heat-frame" aria-busy="true" />
        )}
      </div>
      <div class="heat-steps dim number" aria-hidden="true">
        <span>{steps.length > 1 && formatCount(steps[0]!)}</span>
        <span>{steps.length > 0 && formatCount(steps.at(-1)!)}</span>
      </div>
      <p class="dim number summary-facts">{point && facts}</p>
    </SummaryCard>
  );
}
