// Which lines there are to draw: the series that experiments have, by tag.
import { useEffect, useMemo, useState } from 'preact/hooks';

import { attemptPath, getJson, LostServerError } from '../api';
import { useInterval } from '../hooks';
import type { ScalarIndex, ScalarSeries } from '../types';

// An attempt whose series are drawn.
export interface ScalarSource {
  key: string;
  attempt: number;
  isLive: boolean;
  // When it started, in seconds: where relative time begins.
  origin: number;
}

export interface Line {
  id: string;
  source: ScalarSource;
  run: string;
  label: string;
  colour: number;
  // Lines of one colour differ in how they are dashed.
  dash: number;
}

export interface TaggedLine {
  line: Line;
  series: ScalarSeries;
}

export interface Tags {
  lines: Line[];
  byTag: Map<string, TaggedLine[]>;
}

export const COLOURS = 10;
export const REFRESH_MS = 3000;

export interface ScalarIndexes {
  // In the order of the sources; null where it is not loaded yet.
  indexes: (ScalarIndex | null)[];
  error: Error | null;
}

export function useScalarIndexes(sources: readonly ScalarSource[]): ScalarIndexes {
  const [loaded, setLoaded] = useState<ScalarIndexes>({ indexes: sources.map(() => null), error: null });
  const [round, setRound] = useState(0);
  const names = sources.map((source) => `${source.key}/${source.attempt}/${source.isLive ? 'live' : 'ended'}`).join(' ');
  useEffect(() => {
    const abort = new AbortController();
    const load = (source: ScalarSource): Promise<ScalarIndex> =>
      getJson<ScalarIndex>(attemptPath(source.key, source.attempt) + '/scalars', abort.signal);
    Promise.all(sources.map(load)).then(
      (indexes) => setLoaded({ indexes, error: null }),
      (error: unknown) => {
        if (abort.signal.aborted || error instanceof LostServerError) return;
        setLoaded((before) => ({ ...before, error: error as Error }));
      },
    );
    return () => abort.abort();
    // `names` stands for the sources: they are made anew with each document.
  }, [names, round]);
  const isLive = sources.some((source) => source.isLive);
  useInterval(() => setRound((value) => value + 1), isLive ? REFRESH_MS : null);
  return loaded;
}

export function compareTags(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

// One source: a colour for each run. Several: a colour for each source.
export function useTags(sources: readonly ScalarSource[], indexes: readonly (ScalarIndex | null)[]): Tags {
  return useMemo(() => {
    const lines = new Map<string, Line>();
    const found = new Map<string, TaggedLine[]>();
    indexes.forEach((index, at) => {
      const source = sources[at];
      if (!index || !source) return;
      const runs = [...new Set(index.series.map((series) => series.run))].sort(compareTags);
      runs.forEach((run, order) => {
        const id = `${source.key}/${source.attempt}/${run}`;
        const isAlone = sources.length === 1;
        const label = isAlone ? run || '(root)' : run ? `${source.key} · ${run}` : source.key;
        const colour = (isAlone ? order : at) % COLOURS;
        const dash = isAlone ? Math.floor(order / COLOURS) : order + Math.floor(at / COLOURS);
        lines.set(id, { id, source, run, label, colour, dash });
      });
      for (const series of index.series) {
        const line = lines.get(`${source.key}/${source.attempt}/${series.run}`)!;
        const tagged = found.get(series.tag);
        if (tagged) tagged.push({ line, series });
        else found.set(series.tag, [{ line, series }]);
      }
    });
    const byTag = new Map([...found].sort(([a], [b]) => compareTags(a, b)));
    for (const tagged of byTag.values()) tagged.sort((a, b) => compareTags(a.line.run, b.line.run));
    return { lines: [...lines.values()], byTag };
  }, [sources, indexes]);
}

// Whether a tag has all words of a search.
export function tagFilter(search: string): (tag: string) => boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return (tag) => words.every((word) => tag.toLowerCase().includes(word));
}

// By what stands before the first "/".
export function groupTags(tags: Iterable<string>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const tag of tags) {
    const slash = tag.indexOf('/');
    const name = slash > 0 ? tag.slice(0, slash) : '';
    const group = groups.get(name);
    if (group) group.push(tag);
    else groups.set(name, [tag]);
  }
  return groups;
}
