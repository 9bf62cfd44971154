// A document of the API that a component shows.
import { useCallback, useEffect, useState } from 'preact/hooks';

import { getJson, LostServerError } from './api';
import { connection } from './connection';
import { useStore } from './store';

export interface Resource<T> {
  // What was loaded last, also while it is loaded again.
  data: T | null;
  error: Error | null;
  isLoading: boolean;
  reload: () => void;
}

interface Loaded<T> {
  path: string;
  data: T | null;
  error: Error | null;
}

// Null: nothing is loaded. It is loaded again when the server was away.
export function useResource<T>(path: string | null): Resource<T> {
  const { generation } = useStore(connection);
  const [loaded, setLoaded] = useState<Loaded<T> | null>(null);
  const [round, setRound] = useState(0);

  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    getJson<T>(path, abort.signal).then(
      (data) => setLoaded({ path, data, error: null }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        // The banner tells that the server is away; what is shown stays.
        if (error instanceof LostServerError) return;
        setLoaded({ path, data: null, error: error as Error });
      },
    );
    return () => abort.abort();
  }, [path, round, generation]);

  const reload = useCallback(() => setRound((value) => value + 1), []);
  const current = loaded?.path === path ? loaded : null;
  return {
    data: current?.data ?? null,
    error: current?.error ?? null,
    isLoading: path !== null && current === null,
    reload,
  };
}
