// Which metrics and parameters have a column in the list of experiments. The choice holds for all lists of this browser.
import { Store } from '../store';
import type { ParameterName } from '../types';
import { metricKey, parameterKey, type ColumnKey } from './query';

export interface ValueColumn {
  name: string;
  key: ColumnKey;
}

// What was switched on or off; what is not in it is as usual.
export type ColumnChoice = ReadonlyMap<ColumnKey, boolean>;

const STORED = 'studio-columns';
const USUAL_METRICS = 3;
// Of names that come and go over the years the last stay.
const MOST_REMEMBERED = 200;

function remembered(): ColumnChoice {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? '[]');
    return new Map(Array.isArray(stored) ? (stored as [ColumnKey, boolean][]) : []);
  } catch {
    return new Map();
  }
}

export const columnChoice = new Store<ColumnChoice>(remembered());

export function chooseColumn(key: ColumnKey, isOn: boolean): void {
  const entries = [...columnChoice.value].filter(([other]) => other !== key);
  const next: [ColumnKey, boolean][] = [...entries, [key, isOn]];
  columnChoice.set(new Map(next.slice(-MOST_REMEMBERED)));
  try {
    localStorage.setItem(STORED, JSON.stringify([...columnChoice.value]));
  } catch {
    // Not remembered where storage is switched off.
  }
}

// Those of metrics first, then those of parameters in the order in which they were chosen: none moves when the list
// knows of more.
export function shownColumns(metrics: readonly string[], parameters: readonly ParameterName[], choice: ColumnChoice): ValueColumn[] {
  const measured = metrics
    .map((name) => ({ name, key: metricKey(name) }))
    .filter(({ key }, index) => choice.get(key) ?? index < USUAL_METRICS);
  const known = new Map(parameters.map(({ name }) => [parameterKey(name) as ColumnKey, name]));
  const given = [...choice].flatMap(([key, isOn]) => {
    const name = known.get(key);
    return isOn && name !== undefined ? [{ name, key }] : [];
  });
  return [...measured, ...given];
}
