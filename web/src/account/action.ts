// A change that someone asked for, and what the server said against it.
import { useState } from 'preact/hooks';

export interface Action {
  error: Error | null;
  isBusy: boolean;
  // Whether it was done.
  carryOut: (change: () => Promise<unknown>) => Promise<boolean>;
}

export function useAction(): Action {
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const carryOut = async (change: () => Promise<unknown>): Promise<boolean> => {
    setIsBusy(true);
    setError(null);
    try {
      await change();
      return true;
    } catch (caught) {
      setError(caught as Error);
      return false;
    } finally {
      setIsBusy(false);
    }
  };
  return { error, isBusy, carryOut };
}
