import { useEffect, useState } from 'preact/hooks';

import { Icon } from './icon';

const TOLD_MS = 1500;

// Copies `text`; `name` says what that is.
export function CopyButton({ text, name }: { text: string; name: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timeout = setTimeout(() => setState('idle'), TOLD_MS);
    return () => clearTimeout(timeout);
  }, [state]);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('failed'),
    );
  };
  return (
    <button type="button" class="icon-button" onClick={copy} title={`Copy ${name}`} aria-label={`Copy ${name}`}>
      <Icon name={state === 'copied' ? 'check' : state === 'failed' ? 'warning' : 'copy'} />
      <span class="visually-hidden" role="status">
        {state === 'copied' ? 'Copied' : state === 'failed' ? 'Could not be copied' : ''}
      </span>
    </button>
  );
}
