// The files of one version: a directory at a time.
import { useEffect, useState } from 'preact/hooks';

import { getJson, versionPath } from '../api';
import { Icon } from '../components/icon';
import { ErrorNotice } from '../components/notice';
import { Bytes, Time } from '../components/time';
import { plural } from '../format';
import { changeQuery } from '../router';
import type { Tree, TreeEntry } from '../types';
import { decodeName, encodeName, joinPath, parentOf, pathParameter } from './paths';
import { Preview } from './preview';

interface Listing {
  state: 'loading' | 'ready';
  entries: TreeEntry[];
  next: string | null;
  error: Error | null;
}

function useListing(base: string, path: string): [Listing, () => void] {
  const [listing, setListing] = useState<Listing>({ state: 'loading', entries: [], next: null, error: null });
  const load = (after: string | null, before: TreeEntry[], signal?: AbortSignal): void => {
    // `next` is encoded already.
    const query = `path=${pathParameter(path)}` + (after === null ? '' : `&after=${after}`);
    getJson<Tree>(`${base}/tree?${query}`, signal).then(
      ({ entries, next }) => setListing({ state: 'ready', entries: [...before, ...entries], next, error: null }),
      (error: unknown) => {
        if (!signal?.aborted) setListing({ state: 'ready', entries: before, next: null, error: error as Error });
      },
    );
  };
  useEffect(() => {
    const abort = new AbortController();
    load(null, [], abort.signal);
    return () => abort.abort();
  }, [base, path]);
  return [listing, () => load(listing.next, listing.entries)];
}

function Breadcrumbs({ tag, path }: { tag: string; path: string }) {
  const parts = path === '' ? [] : path.split('/');
  return (
    <nav class="file-breadcrumbs mono" aria-label="Directory">
      <PathLink path="" current={parts.length === 0}>
        {tag}
      </PathLink>
      {parts.map((part, index) => (
        <span key={index}>
          <span class="dim" aria-hidden="true">
            {' / '}
          </span>
          <PathLink path={parts.slice(0, index + 1).join('/')} current={index === parts.length - 1}>
            {decodeName(part)}
          </PathLink>
        </span>
      ))}
    </nav>
  );
}

function PathLink({ path, current, children }: { path: string; current: boolean; children: string }) {
  return (
    <button
      type="button"
      class="link-button"
      aria-current={current ? 'location' : undefined}
      onClick={() => changeQuery({ path: path || null, file: null })}
    >
      {children}
    </button>
  );
}

function Name({ entry, path, isOpen }: { entry: TreeEntry; path: string; isOpen: boolean }) {
  if (entry.type === 'directory') {
    return (
      <button type="button" class="link-button" onClick={() => changeQuery({ path, file: null })}>
        {entry.name}/
      </button>
    );
  }
  if (entry.type === 'file') {
    return (
      <button type="button" class="link-button" aria-pressed={isOpen} onClick={() => changeQuery({ file: isOpen ? null : path })}>
        {entry.name}
      </button>
    );
  }
  return (
    <span>
      {entry.name}
      <span class="dim">{entry.target === null ? ` (${entry.type})` : ` → ${entry.target}`}</span>
    </span>
  );
}

function EntryRow({ entry, path, isOpen }: { entry: TreeEntry; path: string; isOpen: boolean }) {
  const size = entry.type === 'directory' ? entry.bytes : entry.size;
  return (
    <tr class={isOpen ? 'row-open' : undefined}>
      <th scope="row" class="mono file-name">
        <Icon name={entry.type === 'directory' ? 'folder' : entry.type === 'symlink' ? 'link' : 'file'} />
        <Name entry={entry} path={path} isOpen={isOpen} />
        {entry.problem && <span class="badge badge-bad">{entry.problem}</span>}
      </th>
      <td class="align-right">
        {size === undefined || size === null ? '' : <Bytes count={size} />}
        {entry.files !== undefined && <span class="dim"> · {plural(entry.files, 'file')}</span>}
      </td>
      <td class="mono dim file-mode">{entry.mode}</td>
      <td class="dim">
        <Time at={entry.modified} />
      </td>
    </tr>
  );
}

interface BrowserProps {
  experiment: string;
  tag: string;
  version: string;
  isDirectory: boolean;
  path: string;
  file: string | null;
}

export function FileBrowser({ experiment, tag, version, isDirectory, path, file }: BrowserProps) {
  const base = versionPath(experiment, tag, version);
  const [{ state, entries, next, error }, loadMore] = useListing(base, path);
  const places = entries.map((entry) => ({ entry, path: joinPath(isDirectory ? path : '', encodeName(entry)) }));
  // An artifact that is one file needs no choice.
  const opened = places.find((place) => place.path === (isDirectory ? file : place.path) && place.entry.type === 'file');
  return (
    <div class="file-browser">
      {isDirectory && <Breadcrumbs tag={tag} path={path} />}
      {error && <ErrorNotice error={error} />}
      <div class="table-scroll">
        <table class="file-table" aria-busy={state === 'loading'}>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" class="align-right">
                Size
              </th>
              <th scope="col" class="file-mode">
                Mode
              </th>
              <th scope="col">Modified</th>
            </tr>
          </thead>
          <tbody>
            {path !== '' && (
              <tr>
                <th scope="row" class="mono file-name">
                  <Icon name="folder" />
                  <button type="button" class="link-button" aria-label="Directory above" onClick={() => changeQuery({ path: parentOf(path) || null, file: null })}>
                    ..
                  </button>
                </th>
                <td />
                <td class="file-mode" />
                <td />
              </tr>
            )}
            {places.map((place) => (
              <EntryRow key={place.path} entry={place.entry} path={place.path} isOpen={place === opened} />
            ))}
          </tbody>
        </table>
      </div>
      {state === 'ready' && !error && entries.length === 0 && <p class="dim">The directory is empty.</p>}
      {next !== null && (
        <button type="button" class="button" onClick={loadMore}>
          Show more
        </button>
      )}
      {opened && <Preview key={`${base}/${opened.path}`} place={{ experiment, tag, version, path: opened.path, size: opened.entry.size ?? 0 }} />}
    </div>
  );
}
