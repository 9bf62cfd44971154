// Asks runs to end: once more in the same place, then says what came of it.
import { useState } from 'preact/hooks';

import { ApiError, experimentPath, post } from '../api';
import { nameAll } from '../format';
import type { Run } from '../types';
import { Confirm } from './confirm';
import { Icon } from './icon';

type How = 'stop' | 'kill';

interface Answer {
  isGood: boolean;
  text: string;
}

async function ask(keys: readonly string[], how: How): Promise<Answer> {
  const problems: string[] = [];
  for (const key of keys) {
    try {
      await post<Run>(`${experimentPath(key)}/stop?how=${how}`);
    } catch (error) {
      const hint = error instanceof ApiError && error.hint ? ` (${error.hint})` : '';
      problems.push((error as Error).message + hint);
    }
  }
  if (problems.length > 0) return { isGood: false, text: problems.join('; ') };
  const whom = nameAll(keys);
  return { isGood: true, text: how === 'stop' ? `Asked ${whom} to stop.` : `Killed ${whom}.` };
}

export function StopControl({ keys }: { keys: readonly string[] }) {
  const [isAsked, setIsAsked] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [answer, setAnswer] = useState<Answer | null>(null);

  const open = (): void => {
    setAnswer(null);
    setIsAsked(true);
  };
  const carryOut = async (how: How): Promise<void> => {
    setIsBusy(true);
    setAnswer(await ask(keys, how));
    setIsBusy(false);
    setIsAsked(false);
  };

  return (
    <span class="stop-control">
      {isAsked && keys.length > 0 ? (
        <Confirm
          label="Stop?"
          question={keys.length === 1 ? 'End it?' : `End ${keys.length}?`}
          isBusy={isBusy}
          onCancel={() => setIsAsked(false)}
        >
          <button type="button" class="button button-danger" disabled={isBusy} onClick={() => void carryOut('stop')}>
            Yes, stop
          </button>
          <button
            type="button"
            class="button"
            disabled={isBusy}
            title="Without time to save anything"
            onClick={() => void carryOut('kill')}
          >
            Kill
          </button>
        </Confirm>
      ) : (
        keys.length > 0 && (
          <button type="button" class="button" onClick={open}>
            <Icon name="stopped" />
            {keys.length === 1 ? 'Stop' : `Stop ${keys.length}`}
          </button>
        )
      )}
      <span class={answer && !answer.isGood ? 'answer answer-bad' : 'answer'} role="status">
        {answer?.text}
      </span>
    </span>
  );
}
