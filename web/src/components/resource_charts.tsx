// What an attempt used of its machine over time, in small charts.
import { useEffect, useRef, useState } from 'preact/hooks';

import { attemptPath } from '../api';
import { formatBytes, formatDuration } from '../format';
import { useInterval } from '../hooks';
import { useResource } from '../resource';
import type { Attempt, ResourceSample, ResourceSamples } from '../types';
import { Section } from './facts';
import { ErrorNotice } from './notice';
import { isLive } from './state';

const REFRESH_MS = 5000;
// Of the drawing, which is stretched to the width that there is.
const WIDTH = 1000;
const HEIGHT = 100;

interface Measure {
  name: string;
  value: (sample: ResourceSample) => number | null;
  format: (value: number) => string;
}

function percent(value: number): string {
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} %`;
}

const MEASURES: readonly Measure[] = [
  { name: 'CPU', value: ({ cpu_percent }) => cpu_percent, format: percent },
  { name: 'Memory', value: ({ memory_bytes }) => memory_bytes, format: formatBytes },
  { name: 'GPUs of the machine', value: ({ gpu_percent }) => gpu_percent, format: percent },
  { name: 'GPU memory of the machine', value: ({ gpu_memory_bytes }) => gpu_memory_bytes, format: formatBytes },
];

interface Point {
  seconds: number;
  value: number;
}

function pointsOf({ value }: Measure, samples: readonly ResourceSample[]): Point[] {
  return samples.flatMap((sample) => {
    const known = value(sample);
    return known === null ? [] : [{ seconds: sample.seconds, value: known }];
  });
}

function outline(points: readonly Point[], end: number, most: number): string {
  const at = (seconds: number, value: number): string =>
    `${((seconds / end) * WIDTH).toFixed(1)},${(HEIGHT - (most > 0 ? value / most : 0) * (HEIGHT - 2) - 1).toFixed(1)}`;
  // A sample is of the time before it.
  return [at(0, points[0]!.value), ...points.map(({ seconds, value }) => at(seconds, value))].join(' ');
}

function ResourceChart({ measure: { name, format }, points, end }: { measure: Measure; points: readonly Point[]; end: number }) {
  const [pointed, setPointed] = useState<number | null>(null);
  const most = Math.max(...points.map(({ value }) => value));
  const last = points[points.length - 1]!;
  const shown = pointed === null ? undefined : (points.find(({ seconds }) => seconds >= pointed) ?? last);
  const line = outline(points, end, most);
  const summary = `${format(last.value)} at last, at most ${format(most)}`;
  return (
    <figure class="resource-chart">
      <figcaption>
        <span>{name}</span>
        <span class="dim number">{shown ? `${format(shown.value)} after ${formatDuration(shown.seconds)}` : summary}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name}: ${summary}`}
        onPointerMove={(event) => {
          const { left, width } = event.currentTarget.getBoundingClientRect();
          setPointed(((event.clientX - left) / width) * end);
        }}
        onPointerLeave={() => setPointed(null)}
      >
        <polygon class="resource-area" points={`0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
        <polyline class="resource-line" points={line} />
      </svg>
    </figure>
  );
}

// Nothing where nothing is known: of a script that ended at once, or that ran under an older Studio.
export function ResourceCharts({ experiment, attempt }: { experiment: string; attempt: Attempt }) {
  const { data, error, reload } = useResource<ResourceSamples>(`${attemptPath(experiment, attempt.number)}/resources`);
  const live = isLive(attempt.status);
  useInterval(reload, live ? REFRESH_MS : null);
  const wasLive = useRef(live);
  useEffect(() => {
    if (wasLive.current && !live) reload(); // the end
    wasLive.current = live;
  }, [live, reload]);
  const samples = data?.samples ?? [];
  const end = samples[samples.length - 1]?.seconds ?? 0;
  if (error) return <ErrorNotice error={error} />;
  if (samples.length === 0) return null;
  return (
    <Section title="Resources over time">
      <div class="resource-charts">
        {MEASURES.map((measure) => {
          const points = pointsOf(measure, samples);
          return points.length > 0 && <ResourceChart key={measure.name} measure={measure} points={points} end={end} />;
        })}
      </div>
    </Section>
  );
}
