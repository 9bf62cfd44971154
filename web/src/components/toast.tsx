// What was done last, and the way back.
import { useEffect, useRef } from 'preact/hooks';

import { toast } from '../deletion';
import { useStore } from '../store';
import { Icon } from './icon';

// Long enough to be read and reached by the keyboard.
const STAY_MS = 20_000;

export function ToastRegion() {
  const shown = useStore(toast);
  const region = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!shown) return;
    // Where the button that was pressed has gone, the keyboard goes on here.
    const frame = requestAnimationFrame(() => {
      if (document.activeElement === document.body) region.current?.querySelector('button')?.focus();
    });
    const timer = setInterval(() => {
      // Whoever is at it is not done with it.
      if (!region.current?.matches(':hover, :has(:focus-visible)')) toast.set(null);
    }, STAY_MS);
    return () => {
      cancelAnimationFrame(frame);
      clearInterval(timer);
    };
  }, [shown]);
  return (
    <div class="toast-region" role="status" ref={region}>
      {shown && (
        <div class="toast">
          <span class={shown.isGood ? undefined : 'answer-bad'}>{shown.text}</span>
          {shown.undo && (
            <button key="undo" type="button" class="button" onClick={() => void shown.undo?.()}>
              Undo
            </button>
          )}
          <button key="close" type="button" class="icon-button" aria-label="Close" onClick={() => toast.set(null)}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
