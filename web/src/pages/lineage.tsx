// What an attempt reused, and what that had reused in turn.
import { useEffect, useState } from 'preact/hooks';

import { experimentPath, getJson } from '../api';
import { StateBadge } from '../components/state';
import { experimentUrl } from '../router';
import type { Attempt, Experiment } from '../types';
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

export function LineageTab({ experiment, attempt }: TabProps) {
  const uses = usesOf(attempt);
  if (uses.length === 0) {
    return (
      <div class="empty">
        <h2>Nothing was reused</h2>
        <p>
          <code>studio run --reuse=EXP/TAG@vN:TAG</code> gives a run what another one left behind.
        </p>
      </div>
    );
  }
  return (
    <div class="lineage-tree">
      <p>
        <span class="mono">{experiment.key}</span> reused
      </p>
      <UseList uses={uses} depth={1} />
    </div>
  );
}
