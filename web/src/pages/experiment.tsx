// One experiment: its header, and the tab that the address names.
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';

import { experimentPath } from '../api';
import { DeletionControl } from '../components/deletion_control';
import { ErrorNotice } from '../components/notice';
import { Duration, isLive, outcome, StateBadge } from '../components/state';
import { StopControl } from '../components/stop_control';
import { Tabs } from '../components/tabs';
import { Age } from '../components/time';
import { followChanges } from '../events';
import { useTitle } from '../hooks';
import { lazy } from '../lazy';
import { useResource } from '../resource';
import { useMayChange } from '../rights';
import { changeQuery, experimentUrl, TABS, useLocation, type Tab } from '../router';
import type { Attempt, Experiment } from '../types';
import { OutputTab } from './output';
import { OverviewTab } from './overview';

export interface TabProps {
  experiment: Experiment;
  attempt: Attempt;
}

const TAB_PAGES: Record<Tab, ComponentType<TabProps>> = {
  overview: OverviewTab,
  output: OutputTab,
  charts: lazy(async () => (await import('./charts')).ChartsTab, 'page-placeholder'),
  artifacts: lazy(async () => (await import('./artifacts')).ArtifactsTab, 'page-placeholder'),
  checkpoints: lazy(async () => (await import('./checkpoints')).CheckpointsTab, 'page-placeholder'),
  lineage: lazy(async () => (await import('./lineage')).LineageTab, 'page-placeholder'),
};

function tabLinks(key: string, attempt: string | null) {
  const query: Record<string, string> = attempt === null ? {} : { attempt };
  return TABS.map((tab) => ({
    id: tab,
    name: tab.charAt(0).toUpperCase() + tab.slice(1),
    url: experimentUrl(key, tab, query),
  }));
}

function AttemptChooser({ experiment, attempt }: TabProps) {
  const last = experiment.attempt;
  return (
    <label class="attempt-chooser">
      Attempt
      <select
        class="input"
        value={String(attempt.number)}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          changeQuery({ attempt: chosen === String(last) ? null : chosen });
        }}
      >
        {experiment.history.map(({ number, status }) => (
          <option key={number} value={String(number)}>
            {number} ({status}){number === last ? ', the last' : ''}
          </option>
        ))}
      </select>
    </label>
  );
}

function Header({ experiment, attempt }: TabProps) {
  const isLast = attempt.number === experiment.attempt;
  const what = outcome(attempt);
  const mayChange = useMayChange()(experiment);
  return (
    <div class="experiment-head">
      <div class="experiment-facts">
        <StateBadge status={attempt.status} />
        {what && <span class="dim">{what}</span>}
        <span class="dim">
          <Duration of={attempt} />
        </span>
        <span class="dim">
          <Age at={attempt.started} />
        </span>
        <a class="dim" href={`/?project=${encodeURIComponent(experiment.project)}`} title="Project">
          {experiment.project}
        </a>
        <span class="dim" title="Owner">
          {experiment.owner}
        </span>
        {experiment.deleted !== null && (
          <span>
            Deleted <Age at={experiment.deleted} />
          </span>
        )}
      </div>
      {experiment.history.length > 1 && <AttemptChooser experiment={experiment} attempt={attempt} />}
      <StopControl keys={mayChange && isLast && isLive(attempt.status) ? [experiment.key] : []} />
      <DeletionControl keys={mayChange && !isLive(experiment.status) ? [experiment.key] : []} restores={experiment.deleted !== null} />
    </div>
  );
}

export function ExperimentPage({ name, tab }: { name: string; tab: Tab }) {
  useTitle(tab === 'overview' ? name : `${name}, ${tab}`);
  const { query } = useLocation();
  const chosen = query.get('attempt');
  const number = chosen !== null && /^\d+$/.test(chosen) ? chosen : null;
  const { data, error, reload } = useResource<Experiment>(
    experimentPath(name) + (number === null ? '' : `?attempt=${number}`),
  );
  useEffect(
    () =>
      followChanges({
        change: (run) => {
          if (run.key === name) reload();
        },
        reset: reload,
      }),
    [name, reload],
  );
  const attempt = data?.history.find((each) => each.number === (number === null ? data.attempt : Number(number)));
  const TabPage = TAB_PAGES[tab];
  return (
    <div class={tab === 'output' ? 'page page-full' : 'page'}>
      <nav class="breadcrumbs" aria-label="Breadcrumbs">
        <a href="/">Experiments</a>
        <span aria-hidden="true">/</span>
      </nav>
      <h1 class="page-title experiment-key">{name}</h1>
      {data && attempt ? <Header experiment={data} attempt={attempt} /> : <div class="experiment-head" />}
      <Tabs tabs={tabLinks(name, number)} current={tab} label={`Experiment ${name}`} />
      <div id="tab-panel" class={`tab-panel tab-panel-${tab}`} role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={-1}>
        {error && <ErrorNotice error={error} />}
        {data && attempt && <TabPage key={attempt.number} experiment={data} attempt={attempt} />}
        {!data && !error && <div class="page-placeholder" aria-busy="true" />}
      </div>
    </div>
  );
}
