// What the cards of all kinds share: their frame, and the choice of a step.
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { ErrorNotice } from '../components/notice';
import { exactUtc, formatCount } from '../format';
import { useIsNear } from '../hooks';
import { useResource, type Resource } from '../resource';
import type { SummarySeries } from '../types';

export function seriesQuery({ run, tag }: SummarySeries, more: Record<string, string> = {}): string {
  return new URLSearchParams({ run, tag, ...more }).toString();
}

// Loaded when the card has come near, and again when the series has grown.
export function useSeries<T>(card: RefObject<HTMLElement | null>, path: string, { points }: SummarySeries): Resource<T> {
  const isNear = useIsNear(card);
  const wasNear = useRef(false);
  wasNear.current ||= isNear;
  const resource = useResource<T>(wasNear.current ? path : null);
  const loaded = useRef(points);
  const { reload } = resource;
  useEffect(() => {
    if (loaded.current === points) return;
    loaded.current = points;
    reload();
  }, [points, reload]);
  return resource;
}

// What was there last, until there is something else: a new step does not blank the card.
export function useKept<T>(value: T | null): T | null {
  const kept = useRef<T | null>(null);
  if (value !== null) kept.current = value;
  return kept.current;
}

export interface StepChoice {
  steps: readonly number[];
  index: number;
  choose: (step: number | null) => void;
}

// The last step, until another one is chosen.
export function useStepChoice(steps: readonly number[]): StepChoice {
  const [chosen, choose] = useState<number | null>(null);
  const last = steps.length - 1;
  // Of many steps some are left out, others when there are more.
  const at = chosen === null ? last : steps.findLastIndex((step) => step <= chosen);
  return { steps, index: Math.max(at, 0), choose };
}

export function stepText(step: number | undefined): string {
  return step === undefined ? '' : `step ${formatCount(step)}`;
}

function StepSlider({ tag, choice: { steps, index, choose } }: { tag: string; choice: StepChoice }) {
  const last = Math.max(steps.length - 1, 0);
  return (
    <label class="step-slider">
      Step
      <input
        type="range"
        min="0"
        max={last}
        step="1"
        value={index}
        disabled={last === 0}
        aria-label={`Step of ${tag}`}
        aria-valuetext={stepText(steps[index])}
        onInput={({ currentTarget: { value } }) => choose(Number(value) === last ? null : (steps[Number(value)] ?? null))}
      />
    </label>
  );
}

interface SummaryCardProps {
  card: RefObject<HTMLDivElement | null>;
  series: SummarySeries;
  choice: StepChoice;
  // Of the step, in seconds.
  wallTime: number | undefined;
  error: Error | null;
  children: ComponentChildren;
}

export function SummaryCard({ card, series: { kind, run, tag }, choice, wallTime, error, children }: SummaryCardProps) {
  return (
    <div class="chart-card summary-card" ref={card} data-kind={kind} data-tag={tag} data-run={run}>
      <div class="chart-head">
        <h3 class="chart-title" title={tag}>
          {tag}
          {run && <span class="dim summary-run"> {run}</span>}
        </h3>
        <span class="dim number chart-place" title={wallTime === undefined ? undefined : exactUtc(new Date(wallTime * 1000))}>
          {stepText(choice.steps[choice.index])}
        </span>
      </div>
      {error && <ErrorNotice error={error} />}
      {children}
      <StepSlider tag={tag} choice={choice} />
    </div>
  );
}
