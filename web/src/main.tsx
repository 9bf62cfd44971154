import { render } from 'preact';

import { App } from './app';
import { loadSession, reportLost } from './connection';
import { startRouter } from './router';

startRouter();
loadSession().catch(reportLost);

const root = document.getElementById('app');
if (root) render(<App />, root);
