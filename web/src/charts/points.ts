// The points of the lines of one chart: loaded when the chart is in sight, and again when there are more.
import { useEffect, useRef, useState } from 'preact/hooks';

import { attemptPath, getJson } from '../api';
import type { ScalarPoint, ScalarPoints } from '../types';
import type { TaggedLine } from './lines';

export type Axis = 'step' | 'relative' | 'wall';

// On the axis as it is shown.
export type Zoom = readonly [number, number];

const BUCKETS = 800;

// Where the axis of a line begins, in the server's numbers.
function originOf(axis: Axis, { line }: TaggedLine): number {
  return axis === 'relative' ? line.source.origin : 0;
}

export function axisValue(axis: Axis, tagged: TaggedLine, point: ScalarPoint): number {
  return axis === 'step' ? point[0] : point[1] - originOf(axis, tagged);
}

function seriesPath(tagged: TaggedLine, axis: Axis, zoom: Zoom | null): string {
  const { line, series } = tagged;
  const query = new URLSearchParams({
    run: series.run,
    tag: series.tag,
    buckets: String(BUCKETS),
    axis: axis === 'step' ? 'step' : 'time',
  });
  if (zoom) {
    const origin = originOf(axis, tagged);
    // Steps are whole numbers; what lies just outside keeps the line going to the edge.
    const [from, to] = axis === 'step' ? [Math.floor(zoom[0]), Math.ceil(zoom[1])] : [zoom[0] + origin, zoom[1] + origin];
    query.set('from', String(from));
    query.set('to', String(to));
  }
  return `${attemptPath(line.source.key, line.source.attempt)}/scalars/series?${query.toString()}`;
}

// What the points are a picture of; another text, other points.
function stateOf({ series }: TaggedLine, axis: Axis, zoom: Zoom | null): string {
  return [axis === 'step' ? 'step' : 'time', zoom?.join(':'), series.points, series.last_step].join(' ');
}

interface Kept {
  state: string;
  axis: Axis;
  points: ScalarPoint[];
}

export interface ChartPoints {
  // By the line's id. What was there stays until what is asked for has come.
  points: ReadonlyMap<string, ScalarPoint[]>;
  error: Error | null;
}

export function useChartPoints(lines: readonly TaggedLine[], axis: Axis, zoom: Zoom | null, isWanted: boolean): ChartPoints {
  const kept = useRef(new Map<string, Kept>());
  const [shown, setShown] = useState<ChartPoints>({ points: new Map<string, ScalarPoint[]>(), error: null });
  const wanted = lines.map((tagged) => `${tagged.line.id} ${stateOf(tagged, axis, zoom)}`).join('\n');
  useEffect(() => {
    if (!isWanted) return;
    const abort = new AbortController();
    const load = async (tagged: TaggedLine): Promise<void> => {
      const state = stateOf(tagged, axis, zoom);
      if (kept.current.get(tagged.line.id)?.state === state) return;
      const { points } = await getJson<ScalarPoints>(seriesPath(tagged, axis, zoom), abort.signal);
      kept.current.set(tagged.line.id, { state, axis, points });
    };
    Promise.all(lines.map(load)).then(
      () => setShown({ points: new Map([...kept.current].map(([id, { points }]) => [id, points])), error: null }),
      (error: unknown) => {
        if (!abort.signal.aborted) setShown((before) => ({ ...before, error: error as Error }));
      },
    );
    return () => abort.abort();
    // `wanted` stands for the lines, which are made anew with each look at the index.
  }, [wanted, axis, zoom, isWanted]);
  return shown;
}
