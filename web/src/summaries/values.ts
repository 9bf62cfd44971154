// Hyperparameters as text.
import type { HyperparameterRun } from '../types';

export type Values = Map<string, string>;

export function valuesOf({ values }: HyperparameterRun): Values {
  return new Map(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

// Of all runs of an experiment together: what differs between them beside each other.
export function hyperparameters(runs: readonly HyperparameterRun[]): Values {
  const found = new Map<string, Set<string>>();
  for (const run of runs) {
    for (const [name, value] of valuesOf(run)) found.set(name, (found.get(name) ?? new Set()).add(value));
  }
  return new Map([...found].map(([name, values]) => [name, [...values].join(', ')]));
}
