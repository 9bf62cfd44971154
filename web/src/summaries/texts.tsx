// The texts of one tag, a step at a time, as they were written: Markdown and HTML in them are shown, not followed.
import { useMemo, useRef } from 'preact/hooks';

import { useResource } from '../resource';
import type { SummaryPoints, SummaryTexts } from '../types';
import { seriesQuery, stepText, SummaryCard, useKept, useSeries, useStepChoice } from './card';
import type { SummaryProps } from './summaries';

export function TextCard({ path, series }: SummaryProps) {
  const card = useRef<HTMLDivElement>(null);
  const { data, error } = useSeries<SummaryPoints>(card, `${path}/points?${seriesQuery(series, { kind: 'text' })}`, series);
  const steps = useMemo(() => data?.points.map(([step]) => step) ?? [], [data]);
  const choice = useStepChoice(steps);
  const [step, wallTime] = data?.points[choice.index] ?? [];
  const read = useResource<SummaryTexts>(
    step === undefined ? null : `${path}/text?${seriesQuery(series, { step: String(step) })}`,
  );
  const texts = useKept(read.data);
  return (
    <SummaryCard card={card} series={series} choice={choice} wallTime={wallTime} error={error ?? read.error}>
      <pre class="text-block summary-text" tabIndex={0} role="group" aria-label={`${series.tag}, ${stepText(step)}`}>
        {texts?.texts.join('\n')}
        {texts?.cut && '\n… and more'}
      </pre>
    </SummaryCard>
  );
}
