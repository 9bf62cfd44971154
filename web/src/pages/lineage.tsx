// What an attempt reused, and what that had reused in turn; and who reuses what the experiment left behind.
import { useEffect, useState } from 'preact/hooks';

import { experimentPath, getJson } from '../api';
import { Section } from '../components/facts';
import { ErrorNotice } from '../components/notice';
import { StateBadge } from '../components/state';
import { followChanges } from '../events';
import { formatCount } from '../format';
import { useResource } from '../resource';
import { experimentUrl } from '../router';
import type { Attempt, Experiment, Reuse, ReuseList } from '../types';
import type { TabProps } from './experiment';

// Deeper ones are a click away.
const DEEPEST = 4;

interface Source {
  experiment: string;
  tag: string;
  version: string;
}

// "EXP/TAG@v3"
function parseSource(text: string): Source | null {
  const match = /^([^/]+)\/([^@]+)@(v\d+)$/.exec(text);
  return match ? { experiment: match[1]!, tag: match[2]!, version: match[3]! } : null;
}

interface Use {
  tag: string;
  source: Source;
}

function usesOf({ artifacts }: Attempt): Use[] {
  return artifacts.flatMap(({ tag, source }) => {
    const parsed = source === null ? null : parseSource(source);
    return parsed ? [{ tag, source: parsed }] : [];
  });
}

function usesOfAll(experiment: Experiment): Use[] {
  const uses = new Map<string, Use>();
  for (const use of experiment.history.flatMap(usesOf))
    uses.set(`${use.source.experiment}/${use.source.tag}@${use.source.version}:${use.tag}`, use);
  return [...uses.values()];
}

function UseItem({ use: { tag, source }, depth }: { use: Use; depth: number }) {
  const [experiment, setExperiment] = useState<Experiment | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    getJson<Experiment>(experimentPath(source.experiment), abort.signal).then(setExperiment, () => undefined);
    return () => abort.abort();
  }, [source.experiment]);
  const url = experimentUrl(source.experiment, 'artifacts', { tag: source.tag, version: source.version });
  const further = experiment && depth < DEEPEST ? usesOfAll(experiment) : [];
  return (
    <li class="lineage-use">
      <div class="lineage-card">
        <a class="mono" href={url}>
          {source.experiment}/{source.tag}@{source.version}
        </a>
        <span class="dim">as</span>
        <span class="mono">{tag}</span>
        <a href={experimentUrl(source.experiment)}>{source.experiment}</a>
        {experiment && <StateBadge status={experiment.status} />}
      </div>
      {further.length > 0 && <UseList uses={further} depth={depth + 1} />}
    </li>
  );
}

function UseList({ uses, depth }: { uses: readonly Use[]; depth: number }) {
  return (
    <ul class="lineage">
      {uses.map((use) => (
        <UseItem key={`${use.source.experiment}/${use.source.tag}@${use.source.version}:${use.tag}`} use={use} depth={depth} />
      ))}
    </ul>
  );
}

function ReuseItem({ source, reuse: { tag, version, by } }: { source: string; reuse: Reuse }) {
  return (
    <li>
      <div class="lineage-card">
        <a class="mono" href={experimentUrl(source, 'artifacts', { tag, version })}>
          {tag}@{version}
        </a>
        <span class="dim">by</span>
        <a href={experimentUrl(by.experiment, 'lineage', { attempt: String(by.attempt) })}>{by.experiment}</a>
        <span class="dim">as</span>
        <span class="mono">{by.tag}</span>
        <StateBadge status={by.status} />
      </div>
    </li>
  );
}

// Loaded again when anything runs that was not seen running: it may reuse this one.
function useReuses(key: string) {
  const resource = useResource<ReuseList>(`${experimentPath(key)}/reuses`);
  const { reload } = resource;
  useEffect(() => {
    const seen = new Map<string, string>();
    return followChanges({
      change: (run) => {
        const now = `${run.attempt} ${run.status}`;
        if (seen.get(run.key) === now) return;
        seen.set(run.key, now);
        reload();
      },
      reset: reload,
    });
  }, [reload]);
  return resource;
}

function ReuseSection({ source, list: { reuses, total } }: { source: string; list: ReuseList }) {
  return (
    <Section title="Reused by">
      <ul class="lineage">
        {reuses.map((reuse) => (
          <ReuseItem key={`${reuse.tag}@${reuse.version} ${reuse.by.experiment}/${reuse.by.tag}`} source={source} reuse={reuse} />
        ))}
      </ul>
      {total > reuses.length && <p class="dim">… {formatCount(total - reuses.length)} more</p>}
    </Section>
  );
}

export function LineageTab({ experiment, attempt }: TabProps) {
  const uses = usesOf(attempt);
  const { data, error } = useReuses(experiment.key);
  return (
    <div class="lineage-tree">
      {uses.length > 0 ? (
        <Section title="Reused">
          <UseList uses={uses} depth={1} />
        </Section>
      ) : (
        <div class="empty">
          <h2>Nothing was reused</h2>
          <p>
            <code>studio run --reuse=EXP/TAG@vN:TAG</code> gives a run what another one left behind.
          </p>
        </div>
      )}
      {error && <ErrorNotice error={error} />}
      {data && data.reuses.length > 0 && <ReuseSection source={experiment.key} list={data} />}
    </div>
  );
}
