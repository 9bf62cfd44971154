// Which columns the table has: a button, and what it opens.
import { useEffect, useRef, useState } from 'preact/hooks';

import { Icon } from '../components/icon';
import type { ParameterName } from '../types';
import { chooseColumn, type ValueColumn } from './columns';
import { metricKey, parameterKey, type ColumnKey } from './query';

interface ColumnChooserProps {
  metrics: readonly string[];
  parameters: readonly ParameterName[];
  shown: readonly ValueColumn[];
}

export function ColumnChooser({ metrics, parameters, shown }: ColumnChooserProps) {
  const [isOpen, setIsOpen] = useState(false);
  const whole = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!isOpen) return;
    whole.current?.querySelector('input')?.focus();
    const closeOutside = ({ target }: Event): void => {
      if (target instanceof Node && !whole.current?.contains(target)) setIsOpen(false);
    };
    document.addEventListener('pointerdown', closeOutside);
    document.addEventListener('focusin', closeOutside);
    return () => {
      document.removeEventListener('pointerdown', closeOutside);
      document.removeEventListener('focusin', closeOutside);
    };
  }, [isOpen]);

  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.preventDefault();
    setIsOpen(false);
    button.current?.focus();
  };
  const on = new Set(shown.map(({ key }) => key));
  const group = (title: string, columns: readonly ValueColumn[]) =>
    columns.length > 0 && (
      <fieldset>
        <legend>{title}</legend>
        {columns.map(({ name, key }) => (
          <label key={key} class="column-choice">
            <input type="checkbox" checked={on.has(key)} onChange={(event) => chooseColumn(key, event.currentTarget.checked)} />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
    );
  const columnsOf = (names: readonly string[], keyOf: (name: string) => ColumnKey): ValueColumn[] =>
    names.map((name) => ({ name, key: keyOf(name) }));
  const parametersThat = (differ: boolean): ValueColumn[] =>
    columnsOf(parameters.filter(({ differs }) => differs === differ).map(({ name }) => name), parameterKey);
  return (
    <div class="column-chooser" ref={whole} onKeyDown={onKey}>
      <button
        ref={button}
        type="button"
        class="button"
        aria-expanded={isOpen}
        aria-controls="column-choices"
        onClick={() => setIsOpen(!isOpen)}
      >
        <Icon name="columns" />
        Columns
      </button>
      <div id="column-choices" class="column-choices" tabIndex={-1} role="group" aria-label="Columns" hidden={!isOpen}>
        {group('Metrics', columnsOf(metrics, metricKey))}
        {group('Parameters that differ', parametersThat(true))}
        {group('Parameters that are the same', parametersThat(false))}
        {metrics.length === 0 && parameters.length === 0 && <p class="dim">These experiments have neither metrics nor parameters.</p>}
      </div>
    </div>
  );
}
