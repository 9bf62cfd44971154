// A message in the place that it is about.
import type { ComponentChildren } from 'preact';

import { ApiError } from '../api';
import { Icon } from './icon';

interface NoticeProps {
  kind: 'info' | 'warn' | 'bad';
  title: string;
  hint?: string | null;
  children?: ComponentChildren;
}

export function Notice({ kind, title, hint, children }: NoticeProps) {
  return (
    <div class={`notice notice-${kind}`} role={kind === 'bad' ? 'alert' : undefined}>
      <Icon name={kind === 'info' ? 'info' : 'warning'} />
      <div>
        <div class="notice-title">{title}</div>
        {hint && <div class="notice-hint">{hint}</div>}
        {children}
      </div>
    </div>
  );
}

// What the server said is wrong, and what can be done.
export function ErrorNotice({ error }: { error: Error }) {
  return <Notice kind="bad" title={error.message} hint={error instanceof ApiError ? error.hint : null} />;
}
