// Several experiments beside each other.
import type { ComponentType } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';

import { attemptPath, experimentPath, getJson, LostServerError } from '../api';
import type { ScalarSource } from '../charts/lines';
import { artifactSizes, code, environmentFacts, metrics, parameters, rowsOf, summary } from '../compare/rows';
import { CompareTable } from '../compare/table';
import { Section } from '../components/facts';
import { ErrorNotice } from '../components/notice';
import { isLive } from '../components/state';
import { connection } from '../connection';
import { useTitle } from '../hooks';
import { lazy } from '../lazy';
import { changeQuery, useLocation } from '../router';
import { useStore } from '../store';
import { hyperparameters, type Values } from '../summaries/values';
import type { Artifact, Experiment, SummaryIndex } from '../types';

const Charts: ComponentType<{ sources: readonly ScalarSource[] }> = lazy(
  async () => (await import('../charts/scalar_charts')).ScalarCharts,
  'page-placeholder',
);

interface Compared {
  names: string;
  experiments: Experiment[];
  artifacts: Artifact[][];
  hyperparameters: Values[];
  error: Error | null;
}

// Nothing if the event files cannot be read, which the charts tell.
async function loadHyperparameters({ key, attempt }: Experiment, signal: AbortSignal): Promise<Values> {
  try {
    return hyperparameters((await getJson<SummaryIndex>(`${attemptPath(key, attempt)}/summaries`, signal)).hyperparameters);
  } catch (error) {
    if (signal.aborted || error instanceof LostServerError) throw error;
    return new Map();
  }
}

function useCompared(names: string): Compared | null {
  const { generation } = useStore(connection);
  const [loaded, setLoaded] = useState<Compared | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    const keys = names === '' ? [] : names.split(',');
    const load = async (): Promise<void> => {
      const experiments = await Promise.all(keys.map((key) => getJson<Experiment>(experimentPath(key), abort.signal)));
      const [lists, values] = await Promise.all([
        Promise.all(keys.map((key) => getJson<{ artifacts: Artifact[] }>(`${experimentPath(key)}/artifacts`, abort.signal))),
        Promise.all(experiments.map((experiment) => loadHyperparameters(experiment, abort.signal))),
      ]);
      setLoaded({ names, experiments, artifacts: lists.map(({ artifacts }) => artifacts), hyperparameters: values, error: null });
    };
    load().catch((error: unknown) => {
      if (abort.signal.aborted || error instanceof LostServerError) return;
      setLoaded({ names, experiments: [], artifacts: [], hyperparameters: [], error: error as Error });
    });
    return () => abort.abort();
  }, [names, generation]);
  return loaded?.names === names ? loaded : null;
}

function Chooser({ keys }: { keys: readonly string[] }) {
  const [typed, setTyped] = useState('');
  const add = (event: Event): void => {
    event.preventDefault();
    const key = typed.trim();
    if (!key || keys.includes(key)) return;
    changeQuery({ keys: [...keys, key].join(',') });
    setTyped('');
  };
  return (
    <div class="compare-keys">
      {keys.map((key) => (
        <span key={key} class="key-chip">
          {key}
          <button type="button" class="icon-button" aria-label={`Leave out ${key}`} onClick={() => changeQuery({ keys: keys.filter((each) => each !== key).join(',') || null })}>
            ×
          </button>
        </span>
      ))}
      <form onSubmit={add}>
        <input
          class="input"
          placeholder="Add a key"
          aria-label="Key of an experiment to add"
          spellcheck={false}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </form>
    </div>
  );
}

export function ComparePage() {
  useTitle('Compare');
  const { query } = useLocation();
  const keys = useMemo(() => [...new Set((query.get('keys') ?? '').split(',').filter(Boolean))], [query]);
  const compared = useCompared(keys.join(','));
  const [showsAll, setShowsAll] = useState(false);
  const sources = useMemo(
    () =>
      compared?.experiments.map((experiment) => ({
        key: experiment.key,
        attempt: experiment.attempt,
        isLive: isLive(experiment.status),
        origin: Date.parse(experiment.started) / 1000,
      })) ?? [],
    [compared],
  );
  const experiments = compared?.experiments ?? [];
  const table = { experiments, showsAll };
  const allParameters = experiments.map((experiment, at) => new Map([...parameters(experiment), ...(compared?.hyperparameters[at] ?? [])]));
  return (
    <div class="page">
      <div class="page-head">
        <h1 class="page-title">Compare</h1>
        <label class="field">
          <input type="checkbox" checked={showsAll} onChange={() => setShowsAll(!showsAll)} />
          Show what is the same too
        </label>
      </div>
      <Chooser keys={keys} />
      {keys.length === 0 && (
        <div class="empty">
          <h2>Nothing to compare yet</h2>
          <p>
            Select some in <a href="/">Experiments</a>, or add their keys above.
          </p>
        </div>
      )}
      {keys.length > 0 && !compared && <div class="page-placeholder" aria-busy="true" />}
      {compared?.error && <ErrorNotice error={compared.error} />}
      {experiments.length > 0 && compared && (
        <>
          <CompareTable {...table} title="Summary" rows={rowsOf(experiments.map(summary))} same="All of it is the same." />
          <CompareTable {...table} title="Parameters" rows={rowsOf(allParameters)} same="The parameters are the same." />
          {experiments.some((experiment) => experiment.metrics.length > 0) && (
            <CompareTable {...table} title="Metrics" rows={rowsOf(experiments.map(metrics))} same="The metrics are the same." />
          )}
          <Section title="Scalars">
            <Charts sources={sources} />
          </Section>
          <CompareTable {...table} title="Code" rows={rowsOf(experiments.map(code))} same="The code is the same, or not in git." />
          <CompareTable {...table} title="Artifacts" rows={rowsOf(compared.artifacts.map(artifactSizes))} same="The artifacts have the same sizes." />
          <CompareTable {...table} title="Environment" rows={rowsOf(experiments.map(({ environment }) => environmentFacts(environment)))} same="The environments are the same." />
        </>
      )}
    </div>
  );
}
