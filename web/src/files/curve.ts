// A scalar of an attempt over time, to be seen above the versions that were captured meanwhile.
import { useMemo } from 'preact/hooks';

import { attemptPath } from '../api';
import { isLive } from '../components/state';
import { useInterval } from '../hooks';
import { useResource } from '../resource';
import type { Attempt, ScalarIndex, ScalarPoints, ScalarSeries } from '../types';

const REFRESH_MS = 5000;
const BUCKETS = 400;
// A file may hold times of another clock, or of another day: they would leave no room for the versions.
const SLACK_MS = 60_000;

export interface CurvePoint {
  time: number; // milliseconds since 1970
  value: number;
}

export interface Curve {
  name: string;
  points: CurvePoint[];
}

function nameOf({ run, tag }: { run: string; tag: string }): string {
  return run ? `${run}/${tag}` : tag;
}

// What the user asked to see beside the experiment; or else a loss, best of data that were not trained on; or else the
// first.
export function chooseSeries(series: readonly ScalarSeries[], attempt: Attempt): ScalarSeries | undefined {
  const asked = attempt.metrics.map(({ name }) => series.find((each) => nameOf(each) === name || each.tag === name));
  const losses = series.filter((each) => /loss/i.test(each.tag));
  const held = losses.find((each) => /val|eval|test/i.test(nameOf(each)));
  return asked.find((each) => each !== undefined) ?? held ?? losses[0] ?? series[0];
}

// Null: there is none, or it is not known yet.
export function useCurve(experiment: string, attempt: Attempt): Curve | null {
  const path = attemptPath(experiment, attempt.number) + '/scalars';
  const isGrowing = isLive(attempt.status);
  const index = useResource<ScalarIndex>(path);
  const series = index.data ? chooseSeries(index.data.series, attempt) : undefined;
  const query = series && new URLSearchParams({ run: series.run, tag: series.tag, axis: 'time', buckets: String(BUCKETS) });
  const { data, reload } = useResource<ScalarPoints>(query ? `${path}/series?${query.toString()}` : null);
  useInterval(
    () => {
      index.reload();
      reload();
    },
    isGrowing ? REFRESH_MS : null,
  );
  return useMemo(() => {
    if (!data) return null;
    const from = Date.parse(attempt.started) - SLACK_MS;
    const to = attempt.ended === null ? Infinity : Date.parse(attempt.ended) + SLACK_MS;
    const points = data.points.flatMap(([, seconds, , , value]) => {
      const time = seconds * 1000;
      return value !== null && time >= from && time <= to ? [{ time, value }] : [];
    });
    return points.length > 1 ? { name: nameOf(data), points } : null;
  }, [data, attempt.started, attempt.ended]);
}

// The last value that was written by then.
export function valueAt({ points }: Curve, time: number): number | null {
  return points.findLast((point) => point.time <= time)?.value ?? null;
}
