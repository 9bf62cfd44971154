// Small drawings of 16 × 16. Words beside them tell the same.

const PATHS = {
  starting: 'M8 2a6 6 0 1 0 6 6',
  running: 'M5 3.5v9l7.5-4.5z',
  finished: 'M3 8.5l3.5 3.5L13 4.5',
  failed: 'M4 4l8 8M12 4l-8 8',
  killed: 'M8 2.5v6M4.6 4.8a5 5 0 1 0 6.8 0',
  stopped: 'M4 4h8v8H4z',
  lost: 'M6 6a2 2 0 1 1 2.8 1.8c-.6.3-.8.7-.8 1.4M8 12v.2',
  info: 'M8 7.5V12M8 4.5v.2M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z',
  warning: 'M8 2L1.5 13.5h13zM8 6.5v3.5M8 11.8v.2',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9zM10.5 10.5L14 14',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  up: 'M3.5 10L8 5.5l4.5 4.5',
  down: 'M3.5 6L8 10.5 12.5 6',
  columns: 'M2 3h12v10H2zM6 3v10M10 3v10',
  left: 'M10 3.5L5.5 8l4.5 4.5',
  right: 'M6 3.5L10.5 8 6 12.5',
  download: 'M8 2v8.5M4.5 7.5L8 11l3.5-3.5M2.5 13.5h11',
  file: 'M4 1.5h5.5L12.5 5v9.5h-8.5zM9 1.5V5.5h3.5',
  folder: 'M1.5 3.5h5l1.5 2h6.5v7.5h-13z',
  link: 'M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5L7.5 13A3 3 0 0 1 3 8.5L4.5 7',
  close: 'M4 4l8 8M12 4l-8 8',
  delete: 'M2.5 4h11M6 4V2.5h4V4M4 4l.7 9.5h6.6L12 4M6.6 6.5v4.5M9.4 6.5v4.5',
  restore: 'M2.5 3v3.5H6M2.8 6.3A5.5 5.5 0 1 1 2.5 9',
  user: 'M8 2.5a2.7 2.7 0 1 0 0 5.4a2.7 2.7 0 0 0 0-5.4zM2.8 13.8a5.2 4 0 0 1 10.4 0',
  leave: 'M9.5 2.5h-6v11h6M6.5 8h7.5M11 5l3 3-3 3',
  sun: 'M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3A5.5 5.5 0 1 0 13 9.5z',
  auto: 'M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12',
} as const;

export type IconName = keyof typeof PATHS;

const FILLED: ReadonlySet<IconName> = new Set(['running', 'stopped']);

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} class={FILLED.has(name) ? 'icon-filled' : undefined} />
    </svg>
  );
}
