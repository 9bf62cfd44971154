import { render } from 'preact';

import { App } from './app';
import { loadSession, reportLost } from './connection';
import { startRouter } from './router';

startRouter();
loadSession().catch(reportLost);
// Back brings a page as it was left: its user may have signed out since.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) loadSession().catch(reportLost);
});

const root = document.getElementById('app');
if (root) render(<App />, root);
