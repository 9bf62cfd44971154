// Asks who it is, in the place of the page that was asked for.
import { useEffect, useRef, useState } from 'preact/hooks';

import { request } from '../api';
import { useTitle } from '../hooks';

export function SignInPage() {
  useTitle('Sign in');
  const field = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  useEffect(() => field.current?.focus(), []);

  const signIn = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!field.current || isBusy) return;
    setIsBusy(true);
    setProblem('');
    try {
      await request('/session', { method: 'POST', body: JSON.stringify({ token: field.current.value.trim() }) });
      // From the beginning: what was loaded before may have been someone else's.
      window.location.reload();
    } catch (error) {
      setProblem((error as Error).message);
      setIsBusy(false);
      field.current?.select();
    }
  };
  return (
    <div class="page sign-in">
      <h1 class="page-title">Sign in</h1>
      <form class="sign-in-form" onSubmit={(event) => void signIn(event)}>
        <label class="form-field">
          Token
          <input
            ref={field}
            type="password"
            class="input mono"
            required
            autocomplete="current-password"
            placeholder="studio_…"
            spellcheck={false}
            aria-describedby="sign-in-problem"
            aria-invalid={problem !== ''}
          />
        </label>
        <button type="submit" class="button button-primary" disabled={isBusy}>
          Sign in
        </button>
        <p id="sign-in-problem" class="sign-in-problem answer-bad" role="alert">
          {problem}
        </p>
      </form>
      <p class="dim">
        An administrator of this server gives you a token, with <code>studio server user add</code> or on their account page.
        Once you are in, you make more of them on yours. The page does not keep what you paste: the browser gets a session of its
        own, for 7 days.
      </p>
    </div>
  );
}
