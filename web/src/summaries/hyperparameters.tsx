// The hyperparameters of an attempt's runs beside each other.
import { rowsOf } from '../compare/rows';
import { formatCount } from '../format';
import type { HyperparameterRun } from '../types';
import { valuesOf } from './values';

const MOST_RUNS = 50;

// With what else the plugin keeps of the training.
function factsOf(run: HyperparameterRun): Map<string, string> {
  const facts = valuesOf(run);
  const session = [run.status ?? '', run.group === null ? '' : `group ${run.group}`].filter(Boolean).join(', ');
  if (session) facts.set('(session)', session);
  return facts;
}

export function HyperparameterTable({ runs }: { runs: readonly HyperparameterRun[] }) {
  const shown = runs.slice(0, MOST_RUNS);
  return (
    <details class="chart-group" open>
      <summary>
        <h2>Hyperparameters</h2> <span class="dim number">{formatCount(runs.length)}</span>
      </summary>
      <div class="table-scroll" tabIndex={0} role="group" aria-label="Hyperparameters">
        <table class="data-table hyperparameter-table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              {shown.map(({ run }) => (
                <th key={run} scope="col">
                  {run || '(root)'}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rowsOf(shown.map(factsOf)).map(({ name, values }) => (
              <tr key={name}>
                <th scope="row" class="mono">
                  {name}
                </th>
                {values.map((value, index) => (
                  <td key={index} class="mono">
                    {value ?? <span class="dim">–</span>}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {runs.length > MOST_RUNS && <p class="dim">The first {MOST_RUNS} runs are shown.</p>}
      {runs.some(({ cut }) => cut) && <p class="dim">Some have more or longer values than are shown.</p>}
    </details>
  );
}
