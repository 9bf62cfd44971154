// Search, states and project of the list; all of it is in the address.
import { useEffect, useRef, useState } from 'preact/hooks';

import { Icon } from '../components/icon';
import { changeQuery } from '../router';
import { STATUSES, type Status } from '../types';
import type { ValueColumn } from './columns';
import { changeSort, parseSort, SORT_KEYS, sortText, type ListQuery, type Sort } from './query';

const SEARCH_DELAY_MS = 200;

function SearchBox({ text }: { text: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Of what was typed at a time only the end is a step that Back returns from.
  const hasPushed = useRef(false);
  const written = useRef(text);

  useEffect(() => {
    if (text === written.current) return;
    written.current = text;
    setTyped(text);
  }, [text]);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof Element && event.target.closest('input:not([type=checkbox]), textarea, select');
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener('keydown', focus);
    return () => {
      document.removeEventListener('keydown', focus);
      clearTimeout(timer.current);
    };
  }, []);

  const write = (value: string): void => {
    written.current = value;
    changeQuery({ search: value || null }, hasPushed.current ? 'replace' : 'push');
    hasPushed.current = true;
  };
  const type = (value: string): void => {
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => write(value), SEARCH_DELAY_MS);
  };
  return (
    <label class="search-box">
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        class="input"
        placeholder="Search"
        aria-label="Search experiments"
        aria-keyshortcuts="/"
        spellcheck={false}
        value={typed}
        onFocus={() => (hasPushed.current = false)}
        onInput={(event) => type(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

function StatusChips({ chosen }: { chosen: readonly Status[] }) {
  const toggle = (status: Status): void => {
    const next = chosen.includes(status) ? chosen.filter((each) => each !== status) : [...chosen, status];
    changeQuery({ status: next });
  };
  return (
    <div class="chips" role="group" aria-label="States">
      {STATUSES.map((status) => (
        <button
          key={status}
          type="button"
          class={`chip state-${status}`}
          aria-pressed={chosen.includes(status)}
          onClick={() => toggle(status)}
        >
          <Icon name={status} />
          {status}
        </button>
      ))}
    </div>
  );
}

function ProjectBox({ project, known }: { project: string; known: readonly string[] }) {
  return (
    <div class="project-box">
      <input
        type="search"
        class="input"
        placeholder="Project"
        aria-label="Project"
        list="known-projects"
        spellcheck={false}
        value={project}
        onChange={(event) => changeQuery({ project: event.currentTarget.value.trim() || null })}
      />
      <datalist id="known-projects">
        {known.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </div>
  );
}

// For narrow screens, where the table has no header to click at.
function SortBox({ sort, values }: { sort: Sort; values: readonly ValueColumn[] }) {
  // That of a link may have no column here.
  const keys = new Set([...SORT_KEYS, ...values.map(({ key }) => key), sort.key]);
  return (
    <div class="sort-box">
      <select
        class="input"
        aria-label="Order"
        value={sortText(sort)}
        onChange={(event) => changeSort(parseSort(event.currentTarget.value))}
      >
        {[...keys].flatMap((key) => [
          <option key={key} value={key}>
            {key} ↑
          </option>,
          <option key={'-' + key} value={'-' + key}>
            {key} ↓
          </option>,
        ])}
      </select>
    </div>
  );
}

function DeletedSwitch({ isOn }: { isOn: boolean }) {
  return (
    <button type="button" class="button toggle" aria-pressed={isOn} onClick={() => changeQuery({ deleted: isOn ? null : 'true' })}>
      <Icon name="delete" />
      Deleted
    </button>
  );
}

interface FiltersProps {
  query: ListQuery;
  projects: readonly string[];
  values: readonly ValueColumn[];
}

export function Filters({ query, projects, values }: FiltersProps) {
  return (
    <div class="filters" role="search">
      <SearchBox text={query.search} />
      <ProjectBox project={query.project} known={projects} />
      <SortBox sort={query.sort} values={values} />
      <StatusChips chosen={query.statuses} />
      <DeletedSwitch isOn={query.deleted} />
    </div>
  );
}
