// Which experiments are selected: by key, so that it holds while rows come and go.
import { useMemo, useRef, useState } from 'preact/hooks';

import type { Run } from '../types';
import type { ExperimentList } from './list';

export interface Selection {
  keys: ReadonlySet<string>;
  toggle: (index: number) => void;
  // From the row toggled last to this one.
  extend: (index: number) => void;
  clear: () => void;
}

export function useSelection(list: ExperimentList): Selection {
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set<string>());
  const anchor = useRef<string | null>(null);
  return useMemo(() => {
    const toggle = (index: number): void => {
      const key = list.row(index)?.key;
      if (key === undefined) return;
      anchor.current = key;
      setKeys((before) => {
        const next = new Set(before);
        if (!next.delete(key)) next.add(key);
        return next;
      });
    };
    const extend = (index: number): void => {
      const from = (anchor.current === null ? null : list.indexOf(anchor.current)) ?? index;
      anchor.current = list.row(from)?.key ?? null;
      const rows: Run[] = [];
      for (let at = Math.min(from, index); at <= Math.max(from, index); ++at) {
        const run = list.row(at);
        if (run) rows.push(run);
      }
      setKeys((before) => new Set([...before, ...rows.map((run) => run.key)]));
    };
    const clear = (): void => {
      anchor.current = null;
      setKeys(new Set<string>());
    };
    return { keys, toggle, extend, clear };
  }, [list, keys]);
}
