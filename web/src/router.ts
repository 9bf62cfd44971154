// Addresses of the page: which there are, and how to get to them without loading it again.
import { Store, useStore } from './store';

export interface Location {
  path: string;
  query: URLSearchParams;
}

export const TABS = ['overview', 'output', 'charts', 'artifacts', 'checkpoints', 'lineage'] as const;
export type Tab = (typeof TABS)[number];

export type Route =
  | { page: 'experiments' }
  | { page: 'experiment'; key: string; tab: Tab }
  | { page: 'compare' }
  | { page: 'storage' }
  | { page: 'account' }
  | { page: 'unknown' };

function read(): Location {
  return { path: window.location.pathname, query: new URLSearchParams(window.location.search) };
}

const location = new Store<Location>(read());

export function useLocation(): Location {
  return useStore(location);
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

export function routeOf(path: string): Route {
  const [page, name, tab, ...rest] = path.split('/').slice(1);
  if (page === '' && name === undefined) return { page: 'experiments' };
  if (page === 'compare' && name === undefined) return { page: 'compare' };
  if (page === 'storage' && name === undefined) return { page: 'storage' };
  if (page === 'account' && name === undefined) return { page: 'account' };
  const key = page === 'experiments' && name ? decoded(name) : null;
  const chosen = TABS.find((known) => known === (tab || 'overview'));
  if (key === null || chosen === undefined || rest.length > 0) return { page: 'unknown' };
  return { page: 'experiment', key, tab: chosen };
}

export function experimentUrl(key: string, tab: Tab = 'overview', query: Record<string, string> = {}): string {
  const path = `/experiments/${encodeURIComponent(key)}` + (tab === 'overview' ? '' : `/${tab}`);
  return withQuery(path, new URLSearchParams(query));
}

export function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export function navigate(url: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', url);
  else history.replaceState(null, '', url);
  location.set(read());
}

// The same page with other parameters; null removes one.
export function changeQuery(changes: Record<string, string | string[] | null>, how: 'push' | 'replace' = 'push'): void {
  const { path, query } = read();
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const each of value === null ? [] : [value].flat()) query.append(name, each);
  }
  navigate(withQuery(path, query), how);
}

function linkOf(event: MouseEvent): HTMLAnchorElement | null {
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!isPlain || event.defaultPrevented || !(event.target instanceof Element)) return null;
  const link = event.target.closest('a');
  const isOurs = link && link.origin === window.location.origin && !link.pathname.startsWith('/api/');
  return isOurs && !link.hasAttribute('download') && !link.target ? link : null;
}

export function startRouter(): void {
  window.addEventListener('popstate', () => location.set(read()));
  document.addEventListener('click', (event) => {
    const link = linkOf(event);
    // A link within the page is the browser's own affair.
    if (!link || link.getAttribute('href')?.startsWith('#')) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}
