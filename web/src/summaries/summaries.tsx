// What an attempt wrote for TensorBoard besides scalars.
import type { ComponentType } from 'preact';
import { useMemo } from 'preact/hooks';

import { attemptPath } from '../api';
import { compareTags, REFRESH_MS, tagFilter, type ScalarSource } from '../charts/lines';
import { NothingWritten } from '../charts/nothing';
import { ErrorNotice } from '../components/notice';
import { formatCount } from '../format';
import { useInterval } from '../hooks';
import { useResource } from '../resource';
import { useLocation } from '../router';
import type { SummaryIndex, SummaryKind, SummarySeries } from '../types';
import { HistogramCard } from './histograms';
import { HyperparameterTable } from './hyperparameters';
import { ImageCard } from './images';
import { TextCard } from './texts';

export interface SummaryProps {
  // Of the attempt's summaries.
  path: string;
  series: SummarySeries;
}

const SECTIONS: { kind: SummaryKind; title: string; Card: ComponentType<SummaryProps> }[] = [
  { kind: 'image', title: 'Images', Card: ImageCard },
  { kind: 'histogram', title: 'Histograms', Card: HistogramCard },
  { kind: 'text', title: 'Text', Card: TextCard },
];

export interface SummariesProps {
  source: ScalarSource;
  // Whether anything stands above.
  hasScalars: boolean;
}

export function Summaries({ source: { key, attempt, isLive }, hasScalars }: SummariesProps) {
  const { query } = useLocation();
  const path = attemptPath(key, attempt) + '/summaries';
  const { data, error, reload } = useResource<SummaryIndex>(path);
  useInterval(reload, isLive ? REFRESH_MS : null);
  const sorted = useMemo(
    () => [...(data?.series ?? [])].sort((a, b) => compareTags(a.tag, b.tag) || compareTags(a.run, b.run)),
    [data],
  );
  if (error) return <ErrorNotice error={error} />;
  if (!data) return <div class="preview-placeholder" aria-busy="true" />;
  if (!hasScalars && sorted.length + data.hyperparameters.length === 0) return <NothingWritten what="charts" />;
  const isWanted = tagFilter(query.get('tags') ?? '');
  const shown = sorted.filter(({ tag }) => isWanted(tag));
  return (
    <>
      {SECTIONS.map(({ kind, title, Card }) => {
        const found = shown.filter((series) => series.kind === kind);
        if (found.length === 0) return null;
        return (
          <details key={kind} class="chart-group" open>
            <summary>
              <h2>{title}</h2> <span class="dim number">{formatCount(found.length)}</span>
            </summary>
            <div class="chart-grid">
              {found.map((series) => (
                <Card key={`${series.run}/${series.tag}`} path={path} series={series} />
              ))}
            </div>
          </details>
        );
      })}
      {data.hyperparameters.length > 0 && <HyperparameterTable runs={data.hyperparameters} />}
    </>
  );
}
