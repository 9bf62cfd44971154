// Tabs that are links: each has an address of its own. Arrow keys move, Enter opens.
import { useRef } from 'preact/hooks';

import { navigate } from '../router';

export interface TabLink {
  id: string;
  name: string;
  url: string;
}

export function Tabs({ tabs, current, label }: { tabs: readonly TabLink[]; current: string; label: string }) {
  const list = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent): void => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>('[role=tab]') ?? [])];
    const at = links.findIndex((link) => link === event.target);
    if (at < 0) return;
    const last = links.length - 1;
    const steps: Record<string, number> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    const tab = tabs[at];
    if (next !== undefined) links[next]?.focus();
    else if (event.key === ' ' && tab) navigate(tab.url);
    else return;
    event.preventDefault();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKey}>
      {tabs.map(({ id, name, url }) => (
        <a
          key={id}
          id={`tab-${id}`}
          class="tab"
          role="tab"
          href={url}
          aria-selected={id === current}
          aria-controls={id === current ? 'tab-panel' : undefined}
          tabIndex={id === current ? 0 : -1}
        >
          {name}
        </a>
      ))}
    </div>
  );
}
