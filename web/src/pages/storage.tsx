// What the store holds, and whose it is.
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';

import { Bar } from '../components/bar';
import { Section } from '../components/facts';
import { ErrorNotice } from '../components/notice';
import { Bytes } from '../components/time';
import { formatCount } from '../format';
import { useTitle } from '../hooks';
import { useResource } from '../resource';
import { experimentUrl } from '../router';
import type { StorageStats } from '../types';

const MOST_ROWS = 100;

interface Share {
  name: string;
  versions: number;
  logical: number;
  stored: number;
}

function shares(artifacts: StorageStats['artifacts'], by: 'experiment' | 'tag'): Share[] {
  const found = new Map<string, Share>();
  for (const artifact of artifacts) {
    const name = artifact[by];
    const share = found.get(name) ?? { name, versions: 0, logical: 0, stored: 0 };
    share.versions += artifact.versions;
    share.logical += artifact.logical_bytes;
    share.stored += artifact.stored_bytes;
    found.set(name, share);
  }
  return [...found.values()].sort((a, b) => b.stored - a.stored || a.name.localeCompare(b.name));
}

function Total({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="total">
      <dt>{name}</dt>
      <dd class="number">{children}</dd>
    </div>
  );
}

function ratio(whole: number, part: number): string {
  return part === 0 ? '–' : `${(whole / part).toFixed(whole / part < 10 ? 2 : 0)} : 1`;
}

function Totals({ stats }: { stats: StorageStats }) {
  return (
    <dl class="totals">
      <Total name="All versions, each kept whole">
        <Bytes count={stats.logical_bytes} />
      </Total>
      <Total name="After deduplication">
        <Bytes count={stats.unique_bytes} />
      </Total>
      <Total name="On disk">
        <Bytes count={stats.stored_bytes} />
      </Total>
      <Total name="Deduplication">{ratio(stats.logical_bytes, stats.unique_bytes)}</Total>
      <Total name="With compression">{ratio(stats.logical_bytes, stats.stored_bytes)}</Total>
      <Total name="Versions">{formatCount(stats.versions)}</Total>
      <Total name="Chunks">{formatCount(stats.chunks)}</Total>
      <Total name="Packs">{formatCount(stats.packs)}</Total>
    </dl>
  );
}

function ShareTable({ title, rows, linked }: { title: string; rows: readonly Share[]; linked: boolean }) {
  const most = Math.max(1, ...rows.map(({ stored }) => stored));
  return (
    <Section title={title}>
      <div class="table-scroll" tabIndex={0} role="group" aria-label={title}>
        <table class="data-table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" class="align-right">
                Versions
              </th>
              <th scope="col" class="align-right">
                Whole
              </th>
              <th scope="col" class="size-cell">
                Stored
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST_ROWS).map(({ name, versions, logical, stored }) => (
              <tr key={name}>
                <th scope="row" class="mono">
                  {linked ? <a href={experimentUrl(name, 'artifacts')}>{name}</a> : name}
                </th>
                <td class="number align-right">{formatCount(versions)}</td>
                <td class="align-right">
                  <Bytes count={logical} />
                </td>
                <td class="size-cell">
                  <Bytes count={stored} />
                  <Bar share={stored / most} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > MOST_ROWS && <p class="dim">The {MOST_ROWS} largest of {formatCount(rows.length)}.</p>}
    </Section>
  );
}

export function StoragePage() {
  useTitle('Storage');
  const { data, error } = useResource<StorageStats>('/storage');
  const byExperiment = useMemo(() => shares(data?.artifacts ?? [], 'experiment'), [data]);
  const byTag = useMemo(() => shares(data?.artifacts ?? [], 'tag'), [data]);
  return (
    <div class="page">
      <h1 class="page-title">Storage</h1>
      {error && <ErrorNotice error={error} />}
      {!data && !error && <div class="page-placeholder" aria-busy="true" />}
      {data && (
        <>
          <Totals stats={data} />
          {data.artifacts.length === 0 ? (
            <div class="empty">
              <h2>The store is empty</h2>
              <p>What experiments leave behind is kept there.</p>
            </div>
          ) : (
            <div class="columns columns-wide">
              <ShareTable title="By experiment" rows={byExperiment} linked />
              <ShareTable title="By tag" rows={byTag} linked={false} />
            </div>
          )}
        </>
      )}
    </div>
  );
}
