// Which experiments a list shows, as its address says it.
import { changeQuery } from '../router';
import { STATUSES, type Run, type Status } from '../types';

export const SORT_KEYS = ['created', 'key', 'project', 'owner', 'status', 'started', 'duration'] as const;
// A column of values that not all experiments have.
export type ColumnKey = `${'metric' | 'parameter'}:${string}`;
export type SortKey = (typeof SORT_KEYS)[number] | ColumnKey;

export interface Sort {
  key: SortKey;
  isDescending: boolean;
}

export interface ListQuery {
  search: string;
  project: string;
  statuses: Status[];
  // Those that were deleted, in place of all others.
  deleted: boolean;
  sort: Sort;
}

export const USUAL_SORT: Sort = { key: 'created', isDescending: true };

export function metricKey(name: string): ColumnKey {
  return `metric:${name}`;
}

export function parameterKey(name: string): ColumnKey {
  return `parameter:${name}`;
}

function isColumnKey(text: string): text is ColumnKey {
  return /^(metric|parameter):./s.test(text);
}

export function parseSort(text: string | null): Sort {
  const isDescending = text?.startsWith('-') ?? false;
  const named = text?.replace(/^-/, '') ?? '';
  const key = isColumnKey(named) ? named : SORT_KEYS.find((known) => known === named);
  return key ? { key, isDescending } : USUAL_SORT;
}

export function sortText({ key, isDescending }: Sort): string {
  return (isDescending ? '-' : '') + key;
}

export function changeSort(sort: Sort): void {
  const text = sortText(sort);
  changeQuery({ sort: text === sortText(USUAL_SORT) ? null : text });
}

export function parseQuery(query: URLSearchParams): ListQuery {
  const named = query.getAll('status');
  return {
    search: query.get('search') ?? '',
    project: query.get('project') ?? '',
    statuses: STATUSES.filter((status) => named.includes(status)),
    deleted: query.get('deleted') === 'true',
    sort: parseSort(query.get('sort')),
  };
}

export function listPath({ search, project, statuses, deleted, sort }: ListQuery, offset: number, limit: number): string {
  const query = new URLSearchParams();
  if (search.trim()) query.set('search', search);
  if (project) query.set('project', project);
  for (const status of statuses) query.append('status', status);
  if (deleted) query.set('deleted', 'true');
  query.set('sort', sortText(sort));
  query.set('offset', String(offset));
  query.set('limit', String(limit));
  return '/experiments?' + query.toString();
}

export function isFiltered({ search, project, statuses, deleted }: ListQuery): boolean {
  return search.trim() !== '' || project !== '' || statuses.length > 0 || deleted;
}

// Whether the server would list it: what changes is told of all experiments.
export function isListed({ search, project, statuses, deleted }: ListQuery, run: Run): boolean {
  if ((run.deleted !== null) !== deleted) return false;
  if (project && run.project !== project) return false;
  if (statuses.length > 0 && !statuses.includes(run.status)) return false;
  const text = [run.key, run.project, run.owner, run.command.join(' '), run.directory].join('\n').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
