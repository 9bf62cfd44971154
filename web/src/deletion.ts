// Deletes and restores experiments, and says what came of it.
import { ApiError, experimentPath, post, remove } from './api';
import { nameAll } from './format';
import { Store } from './store';
import type { Run } from './types';

// What was done last; shown for a while.
export interface Toast {
  text: string;
  isGood: boolean;
  undo: (() => Promise<void>) | null;
}

export const toast = new Store<Toast | null>(null);

async function changeEach(keys: readonly string[], change: (key: string) => Promise<Run>, done: string): Promise<string[]> {
  const changed: string[] = [];
  const problems: string[] = [];
  for (const key of keys) {
    try {
      changed.push((await change(key)).key);
    } catch (error) {
      const hint = error instanceof ApiError && error.hint ? ` (${error.hint})` : '';
      problems.push((error as Error).message + hint);
    }
  }
  const what = changed.length > 0 ? [`${nameAll(changed)} ${done}`] : [];
  toast.set({ text: [...what, ...problems].join('; '), isGood: problems.length === 0, undo: null });
  return changed;
}

export async function restoreExperiments(keys: readonly string[]): Promise<void> {
  await changeEach(keys, (key) => post<Run>(experimentPath(key) + '/restore'), 'restored');
}

export async function deleteExperiments(keys: readonly string[]): Promise<void> {
  const deleted = await changeEach(keys, (key) => remove<Run>(experimentPath(key)), 'deleted');
  if (deleted.length > 0 && toast.value) toast.set({ ...toast.value, undo: () => restoreExperiments(deleted) });
}
