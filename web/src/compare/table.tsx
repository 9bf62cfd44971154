// Facts of several experiments beside each other; those that differ stand out.
import { Section } from '../components/facts';
import { experimentUrl } from '../router';
import type { Experiment } from '../types';

export interface CompareRow {
  name: string;
  // One for each experiment; null where it has none.
  values: (string | null)[];
}

function differs({ values }: CompareRow): boolean {
  return values.some((value) => value !== values[0]);
}

interface CompareTableProps {
  title: string;
  experiments: readonly Experiment[];
  rows: readonly CompareRow[];
  showsAll: boolean;
  same: string; // what is said when no row differs
}

export function CompareTable({ title, experiments, rows, showsAll, same }: CompareTableProps) {
  const shown = showsAll ? rows : rows.filter(differs);
  return (
    <Section title={title}>
      {shown.length === 0 ? (
        <p class="dim">{same}</p>
      ) : (
        <div class="table-scroll" tabIndex={0} role="group" aria-label={title}>
          <table class="data-table compare-table">
            <thead>
              <tr>
                <td />
                {experiments.map(({ key }, index) => (
                  <th key={key} scope="col">
                    <span class="swatch" style={{ color: `var(--series-${index % 10})` }} />
                    <a href={experimentUrl(key)}>{key}</a>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map((row) => (
                <tr key={row.name} class={differs(row) ? 'row-differs' : undefined}>
                  <th scope="row" class="mono">
                    {row.name}
                  </th>
                  {row.values.map((value, index) => (
                    <td key={index} class="mono">
                      {value ?? <span class="dim">–</span>}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}
