// The scalars of one attempt.
import { useMemo } from 'preact/hooks';

import { ScalarCharts } from '../charts/scalar_charts';
import { isLive } from '../components/state';
import type { TabProps } from './experiment';

export function ChartsTab({ experiment: { key }, attempt }: TabProps) {
  const { number, started } = attempt;
  const live = isLive(attempt.status);
  const sources = useMemo(
    () => [{ key, attempt: number, isLive: live, origin: Date.parse(started) / 1000 }],
    [key, number, started, live],
  );
  return <ScalarCharts sources={sources} />;
}
