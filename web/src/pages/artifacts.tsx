// The artifacts of an experiment: their versions, and the files in one of them.
import { useMemo } from 'preact/hooks';

import { apiUrl, experimentPath, versionPath } from '../api';
import { CopyButton } from '../components/copy_button';
import { Icon } from '../components/icon';
import { ErrorNotice, Notice } from '../components/notice';
import { isLive } from '../components/state';
import { Bytes, Time } from '../components/time';
import { FileBrowser } from '../files/browser';
import { useCurve } from '../files/curve';
import { VersionLine } from '../files/version_line';
import { plural } from '../format';
import { useInterval } from '../hooks';
import { useResource } from '../resource';
import { changeQuery, useLocation } from '../router';
import type { Artifact, Attempt, Version } from '../types';
import type { TabProps } from './experiment';

const REFRESH_MS = 5000;

function ArtifactList({ artifacts, chosen }: { artifacts: readonly Artifact[]; chosen: string | null }) {
  return (
    <ul class="artifact-list" aria-label="Artifacts">
      {artifacts.map(({ tag, versions, bytes, complete }) => (
        <li key={tag}>
          <button
            type="button"
            class="artifact"
            aria-current={tag === chosen ? 'true' : undefined}
            onClick={() => changeQuery({ tag, version: null, path: null, file: null })}
          >
            <span class="artifact-tag">{tag}</span>
            <span class="dim">
              {plural(versions, 'version')}
              {bytes !== null && (
                <>
                  {' · '}
                  <Bytes count={bytes} />
                </>
              )}
            </span>
            {complete === false && <span class="badge badge-bad">not complete</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}

function VersionFacts({ version: { created, attempt, reason, files, bytes, changes, stored_bytes: stored } }: { version: Version }) {
  return (
    <div class="version-facts dim">
      <Time at={created} />
      <span>attempt {attempt}</span>
      <span>{reason}</span>
      <span class="number">{plural(files, 'file')}</span>
      <Bytes count={bytes} />
      <span class="number">
        <span class="added">+{changes.added}</span> <span class="modified">~{changes.modified}</span>{' '}
        <span class="removed">−{changes.removed}</span>
        <span class="visually-hidden"> files added, modified, removed</span>
      </span>
      <span>
        <Bytes count={stored} /> stored
      </span>
    </div>
  );
}

function Problems({ version: { complete, problems } }: { version: Version }) {
  if (complete) return null;
  return (
    <Notice kind="warn" title="Some of it could not be read.">
      <ul class="plain-list mono">
        {problems.map(({ path, problem }) => (
          <li key={path}>
            {path}: {problem}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

// The tags that every run has of its own; what is reused needs another.
const DEFAULT_TAGS = ['workspace', 'output', 'modeldir', 'tb'];

function reuseFlag(experiment: string, tag: string, version: string): string {
  const newTag = DEFAULT_TAGS.includes(tag) ? `reused-${tag}` : tag;
  return `--reuse=${experiment}/${tag}@${version}:${newTag}`;
}

interface VersionsProps {
  experiment: string;
  // Whose scalars are drawn; the versions are those of all attempts.
  attempt: Attempt;
  artifact: Artifact;
  hasScalars: boolean;
}

function Versions({ experiment, attempt, artifact, hasScalars }: VersionsProps) {
  const { tag } = artifact;
  const { query } = useLocation();
  const { data, error, reload } = useResource<{ versions: Version[] }>(
    artifact.versions > 0 ? `${experimentPath(experiment)}/artifacts/${encodeURIComponent(tag)}/versions` : null,
  );
  useInterval(reload, isLive(attempt.status) ? REFRESH_MS : null);
  const curve = useCurve(experiment, attempt);
  const versions = useMemo(() => data?.versions.toReversed() ?? [], [data]);
  if (artifact.versions === 0) return <p class="dim">It has no version yet.</p>;
  if (error) return <ErrorNotice error={error} />;
  const wanted = query.get('version');
  const chosen = versions.find(({ version }) => version === wanted) ?? versions[versions.length - 1];
  if (!chosen) return <div class="page-placeholder" aria-busy="true" />;
  const reuse = reuseFlag(experiment, tag, chosen.version);
  return (
    <>
      <VersionLine
        versions={versions}
        chosen={chosen}
        onChoose={({ version }) => changeQuery({ version, file: null })}
        curve={curve}
        hasCurve={hasScalars || curve !== null}
      />
      <VersionFacts version={chosen} />
      <div class="toolbar">
        <span class="command-line reuse-line">
          <code>{reuse}</code>
          <CopyButton text={reuse} name="--reuse line" />
        </span>
        <a class="button" href={apiUrl(`${versionPath(experiment, tag, chosen.version)}/archive.tar.gz`)} download>
          <Icon name="download" />
          Download tar.gz
        </a>
      </div>
      <Problems version={chosen} />
      <FileBrowser
        key={`${tag}@${chosen.version}/${query.get('path') ?? ''}`}
        experiment={experiment}
        tag={tag}
        version={chosen.version}
        isDirectory={artifact.kind !== 'file'}
        path={query.get('path') ?? ''}
        file={query.get('file')}
      />
    </>
  );
}

export function ArtifactsTab({ experiment, attempt }: TabProps) {
  const { key } = experiment;
  const { query } = useLocation();
  const { data, error, reload } = useResource<{ artifacts: Artifact[] }>(`${experimentPath(key)}/artifacts`);
  useInterval(reload, isLive(attempt.status) ? REFRESH_MS : null);
  if (error) return <ErrorNotice error={error} />;
  if (!data) return <div class="page-placeholder" aria-busy="true" />;
  const wanted = query.get('tag');
  const chosen = data.artifacts.find(({ tag }) => tag === wanted) ?? data.artifacts[0];
  if (!chosen) return <p class="dim">No artifact was captured.</p>;
  const hasScalars = data.artifacts.some(({ tag, bytes }) => tag === 'tb' && bytes !== null && bytes > 0);
  return (
    <div class="artifacts">
      <ArtifactList artifacts={data.artifacts} chosen={chosen.tag} />
      <div class="artifact-content">
        <h2 class="artifact-name">
          {chosen.tag} <span class="dim mono">{chosen.path}</span>
        </h2>
        <Versions key={chosen.tag} experiment={key} attempt={attempt} artifact={chosen} hasScalars={hasScalars} />
      </div>
    </div>
  );
}
