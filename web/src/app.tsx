// The frame of all pages.
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { Notice } from './components/notice';
import { ToastRegion } from './components/toast';
import { TopBar } from './components/top_bar';
import { connection } from './connection';
import { useTitle } from './hooks';
import { lazy } from './lazy';
import { ExperimentPage } from './pages/experiment';
import { ExperimentsPage } from './pages/experiments';
import { routeOf, useLocation, type Route } from './router';
import { useStore } from './store';

const AccountPage: ComponentType = lazy(async () => (await import('./pages/account')).AccountPage, 'page-placeholder');
const ComparePage: ComponentType = lazy(async () => (await import('./pages/compare')).ComparePage, 'page-placeholder');
const SignInPage: ComponentType = lazy(async () => (await import('./pages/sign_in')).SignInPage, 'page-placeholder');
const StoragePage: ComponentType = lazy(async () => (await import('./pages/storage')).StoragePage, 'page-placeholder');

function UnknownPage() {
  useTitle('Not found');
  return (
    <div class="page">
      <h1 class="page-title">There is no such page</h1>
      <p>
        <a href="/">All experiments</a>
      </p>
    </div>
  );
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case 'experiments':
      return <ExperimentsPage />;
    case 'experiment':
      return <ExperimentPage key={route.key} name={route.key} tab={route.tab} />;
    case 'compare':
      return <ComparePage />;
    case 'storage':
      return <StoragePage />;
    case 'account':
      return <AccountPage />;
    case 'unknown':
      return <UnknownPage />;
  }
}

function LostBanner() {
  const { isLost } = useStore(connection);
  return (
    <div class="lost-banner" role="status">
      {isLost && <Notice kind="warn" title="The server does not answer. Trying to reach it again…" />}
    </div>
  );
}

export function App() {
  const { path } = useLocation();
  const { session } = useStore(connection);
  const route = routeOf(path);
  const place = route.page === 'experiment' ? route.page + route.key : route.page;
  const main = useRef<HTMLElement>(null);
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    // A new page begins at its top, for the keyboard and for who listens too.
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [place]);
  return (
    <>
      <a class="skip-link" href="#main">
        Skip to content
      </a>
      <TopBar page={route.page} />
      <LostBanner />
      <main id="main" ref={main} tabIndex={-1}>
        {/* The address stays: whoever has signed in is where they wanted to be. */}
        {session?.signed_in === false ? <SignInPage /> : <Page route={route} />}
      </main>
      <ToastRegion />
    </>
  );
}
