// Above all pages: where one is, where one can go, and the theme.
import { connection, type Session } from '../connection';
import { isAdmin } from '../rights';
import type { Route } from '../router';
import { signOut } from '../session';
import { useStore } from '../store';
import { chooseTheme, theme, THEMES, type Theme } from '../theme';
import { Icon, type IconName } from './icon';

const THEME_ICONS: Record<Theme, IconName> = { auto: 'auto', light: 'sun', dark: 'moon' };

function ThemeSwitch() {
  const chosen = useStore(theme);
  return (
    <div class="theme-switch" role="radiogroup" aria-label="Theme">
      {THEMES.map((choice) => (
        <label key={choice} class="theme-choice" title={`Theme: ${choice}`}>
          <input
            type="radio"
            name="theme"
            class="visually-hidden"
            aria-label={choice}
            checked={chosen === choice}
            onChange={() => chooseTheme(choice)}
          />
          <Icon name={THEME_ICONS[choice]} />
        </label>
      ))}
    </div>
  );
}

function PageLink({ url, name, isCurrent }: { url: string; name: string; isCurrent: boolean }) {
  return (
    <a class="nav-link" href={url} aria-current={isCurrent ? 'page' : undefined}>
      {name}
    </a>
  );
}

function UserLinks({ user, isCurrent }: { user: NonNullable<Session['user']>; isCurrent: boolean }) {
  return (
    <span class="user-links">
      <a class="nav-link user-link" href="/account" title={`Account of ${user.name}`} aria-current={isCurrent ? 'page' : undefined}>
        <Icon name="user" />
        <span class="user-name">{user.name}</span>
      </a>
      <button type="button" class="icon-button sign-out" title="Sign out" aria-label="Sign out" onClick={() => void signOut()}>
        <Icon name="leave" />
      </button>
    </span>
  );
}

export function TopBar({ page }: { page: Route['page'] }) {
  const { session } = useStore(connection);
  return (
    <header class="top-bar">
      <a class="brand" href="/">
        <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
          <rect width="32" height="32" rx="7" class="brand-ground" />
          <path d="M7 22l5.5-8 4.5 4 8-10" class="brand-line" />
        </svg>
        Studio
      </a>
      <nav class="nav" aria-label="Pages">
        {session?.signed_in !== false && (
          <>
            <PageLink url="/" name="Experiments" isCurrent={page === 'experiments'} />
            <PageLink url="/compare" name="Compare" isCurrent={page === 'compare'} />
          </>
        )}
        {isAdmin(session) && <PageLink url="/storage" name="Storage" isCurrent={page === 'storage'} />}
      </nav>
      {session?.user && <UserLinks user={session.user} isCurrent={page === 'account'} />}
      <span class="version" title="Version of Studio">
        {session?.version ?? ''}
      </span>
      <ThemeSwitch />
    </header>
  );
}
