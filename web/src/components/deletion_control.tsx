// Deletes experiments, or restores them: without a question, because it can be undone.
import { useRef } from 'preact/hooks';

import { deleteExperiments, restoreExperiments } from '../deletion';
import { formatCount } from '../format';
import { Icon } from './icon';

interface DeletionProps {
  keys: readonly string[];
  restores: boolean;
  onDone?: () => void;
}

export function DeletionControl({ keys, restores, onDone }: DeletionProps) {
  const isBusy = useRef(false);
  const carryOut = async (): Promise<void> => {
    if (isBusy.current) return;
    isBusy.current = true;
    await (restores ? restoreExperiments(keys) : deleteExperiments(keys));
    isBusy.current = false;
    onDone?.();
  };
  if (keys.length === 0) return null;
  const name = restores ? 'Restore' : 'Delete';
  return (
    <button type="button" class="button" onClick={() => void carryOut()}>
      <Icon name={restores ? 'restore' : 'delete'} />
      {keys.length === 1 ? name : `${name} ${formatCount(keys.length)}`}
    </button>
  );
}
