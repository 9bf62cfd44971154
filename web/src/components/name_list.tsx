// Names and values in a list that can be searched, such as packages.
import { useMemo, useState } from 'preact/hooks';

import { formatCount } from '../format';

interface NameListProps {
  what: string; // "packages"
  entries: Record<string, string>;
}

export function NameList({ what, entries }: NameListProps) {
  const [search, setSearch] = useState('');
  const sorted = useMemo(
    () => Object.entries(entries).sort(([a], [b]) => a.localeCompare(b, 'en', { sensitivity: 'base' })),
    [entries],
  );
  const wanted = search.trim().toLowerCase();
  const found = sorted.filter(([name, value]) => `${name} ${value}`.toLowerCase().includes(wanted));
  return (
    <div class="name-list">
      <div class="name-list-head">
        <input
          type="search"
          class="input"
          placeholder={`Search ${what}`}
          aria-label={`Search ${what}`}
          spellcheck={false}
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <span class="dim number" role="status">
          {found.length === sorted.length
            ? `${formatCount(sorted.length)} ${what}`
            : `${formatCount(found.length)} of ${formatCount(sorted.length)}`}
        </span>
      </div>
      <div class="name-list-body" tabIndex={0} role="group" aria-label={what}>
        <table class="plain-table">
          <thead class="visually-hidden">
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          <tbody>
            {found.map(([name, value]) => (
              <tr key={name}>
                <th scope="row" class="mono">
                  {name}
                </th>
                <td class="mono">{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
