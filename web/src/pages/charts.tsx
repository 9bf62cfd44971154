// What one attempt wrote for TensorBoard.
import type { ComponentType } from 'preact';
import { useMemo } from 'preact/hooks';

import { ScalarCharts } from '../charts/scalar_charts';
import { isLive } from '../components/state';
import { lazy } from '../lazy';
import type { SummariesProps } from '../summaries/summaries';
import type { TabProps } from './experiment';

const Summaries: ComponentType<SummariesProps> = lazy(
  async () => (await import('../summaries/summaries')).Summaries,
  'preview-placeholder',
);

export function ChartsTab({ experiment: { key }, attempt }: TabProps) {
  const { number, started } = attempt;
  const live = isLive(attempt.status);
  const source = useMemo(
    () => ({ key, attempt: number, isLive: live, origin: Date.parse(started) / 1000 }),
    [key, number, started, live],
  );
  const sources = useMemo(() => [source], [source]);
  return (
    <ScalarCharts sources={sources}>
      {(hasScalars) => <Summaries source={source} hasScalars={hasScalars} />}
    </ScalarCharts>
  );
}
