// The images of one tag, a step at a time.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { apiUrl, request } from '../api';
import { plural } from '../format';
import type { SummaryPoints } from '../types';
import { seriesQuery, stepText, SummaryCard, useSeries, useStepChoice } from './card';
import type { SummaryProps } from './summaries';

const MOST_AT_ONCE = 12;

// Why the browser did not show an image.
async function reasonOf(path: string): Promise<string> {
  try {
    await request(path);
    return 'The browser cannot show this image.';
  } catch (error) {
    return (error as Error).message;
  }
}

function Picture({ path, alt }: { path: string; alt: string }) {
  const [broken, setBroken] = useState<{ path: string; reason: string } | null>(null);
  const [isSmall, setIsSmall] = useState(false);
  const shown = useRef(path);
  useEffect(() => {
    shown.current = path;
  }, [path]);
  if (broken?.path === path) return <p class="summary-picture dim">{broken.reason}</p>;
  return (
    <img
      class={isSmall ? 'summary-picture is-small' : 'summary-picture'}
      src={apiUrl(path)}
      alt={alt}
      onLoad={({ currentTarget: { naturalWidth, clientWidth } }) => setIsSmall(naturalWidth < clientWidth)}
      onError={() => {
        void reasonOf(path).then((reason) => {
          if (shown.current === path) setBroken({ path, reason });
        });
      }}
    />
  );
}

export function ImageCard({ path, series }: SummaryProps) {
  const card = useRef<HTMLDivElement>(null);
  const { data, error } = useSeries<SummaryPoints>(card, `${path}/points?${seriesQuery(series, { kind: 'image' })}`, series);
  const steps = useMemo(() => data?.points.map(([step]) => step) ?? [], [data]);
  const choice = useStepChoice(steps);
  const [step, wallTime, count = 0] = data?.points[choice.index] ?? [];
  const shown = Math.min(count, MOST_AT_ONCE);
  const name = (index: number): string =>
    `${series.tag}, ${stepText(step)}` + (count > 1 ? `, image ${index + 1} of ${count}` : '');
  return (
    <SummaryCard card={card} series={series} choice={choice} wallTime={wallTime} error={error}>
      <div
        class="summary-pictures"
        // They may have to be scrolled through.
        tabIndex={shown > 1 ? 0 : undefined}
        role="group"
        aria-label={`Images of ${series.tag}`}
        aria-busy={data ? undefined : 'true'}
      >
        {Array.from({ length: shown }, (_, index) => (
          <Picture
            key={index}
            path={`${path}/image?${seriesQuery(series, { step: String(step), index: String(index) })}`}
            alt={name(index)}
          />
        ))}
      </div>
      {count > shown && <p class="dim">The first {shown} of {plural(count, 'image')} are shown.</p>}
    </SummaryCard>
  );
}
