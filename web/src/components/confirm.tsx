// Asks once more, in the place of the button that was pressed.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface ConfirmProps {
  label: string;
  question: string;
  isBusy?: boolean;
  onCancel: () => void;
  // What it can be answered with.
  children: ComponentChildren;
}

export function Confirm({ label, question, isBusy, onCancel, children }: ConfirmProps) {
  const group = useRef<HTMLSpanElement>(null);
  // The button that was pressed has gone; the keyboard goes on with what came in its place.
  useEffect(() => group.current?.querySelector('button')?.focus(), []);
  return (
    <span
      class="confirm"
      role="group"
      aria-label={label}
      ref={group}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onCancel();
      }}
    >
      <span>{question}</span>
      {children}
      <button type="button" class="button" disabled={isBusy} onClick={onCancel}>
        Cancel
      </button>
    </span>
  );
}

// A button that asks. `of` tells whoever listens what it is about.
export function ConfirmButton({ name, of, question, onConfirm }: { name: string; of: string; question: string; onConfirm: () => void }) {
  const [isAsked, setIsAsked] = useState(false);
  if (!isAsked) {
    return (
      <button type="button" class="button" aria-label={`${name} ${of}`} onClick={() => setIsAsked(true)}>
        {name}
      </button>
    );
  }
  const confirm = (): void => {
    setIsAsked(false);
    onConfirm();
  };
  return (
    <Confirm label={`${name}?`} question={question} onCancel={() => setIsAsked(false)}>
      <button type="button" class="button button-danger" onClick={confirm}>
        Yes, {name.toLowerCase()}
      </button>
    </Confirm>
  );
}
