// The tokens of the one who is signed in, and new ones.
import { useState } from 'preact/hooks';

import { post, remove } from '../api';
import { ConfirmButton } from '../components/confirm';
import { CopyButton } from '../components/copy_button';
import { Section } from '../components/facts';
import { ErrorNotice } from '../components/notice';
import { Time } from '../components/time';
import { useResource } from '../resource';
import { SCOPES, type NewToken, type Scope, type Token } from '../types';
import { useAction } from './action';

const DAY_MS = 86_400_000;
const LIFETIMES = [
  { name: '30 days', days: 30 },
  { name: '90 days', days: 90 },
  { name: 'a year', days: 365 },
  { name: 'until it is revoked', days: null },
];

// A token gives no more than what it is made with.
export function scopesUpTo(scope: Scope): readonly Scope[] {
  return SCOPES.slice(0, SCOPES.indexOf(scope) + 1);
}

function Copied({ text, name }: { text: string; name: string }) {
  return (
    <div class="command-line">
      <pre>{text}</pre>
      <CopyButton text={text} name={name} />
    </div>
  );
}

function MadeToken({ token, onDone }: { token: string; onDone: () => void }) {
  const url = window.location.origin;
  const recipe = `studio login ${url}\nexport STUDIOML_DATABASE_TYPE=http STUDIOML_SERVER_URL=${url}`;
  return (
    <div class="made-token" role="group" aria-label="The new token">
      <p>
        <strong>This is the token. It is not shown again:</strong>
      </p>
      <Copied text={token} name="token" />
      <p>On another machine, where <code>studio login</code> asks for it:</p>
      <Copied text={recipe} name="commands" />
      <button type="button" class="button" onClick={onDone}>
        Done
      </button>
    </div>
  );
}

interface TokenFormProps {
  path: string; // where a token is made
  scopes: readonly Scope[];
  onMade?: () => void;
}

export function TokenForm({ path, scopes, onMade }: TokenFormProps) {
  const [note, setNote] = useState('');
  const [scope, setScope] = useState<Scope>(scopes.includes('write') ? 'write' : scopes[scopes.length - 1]!);
  const [lifetime, setLifetime] = useState(1);
  const [made, setMade] = useState<string | null>(null);
  const { error, isBusy, carryOut } = useAction();

  const make = async (event: Event): Promise<void> => {
    event.preventDefault();
    const days = LIFETIMES[lifetime]?.days ?? null;
    const expires = days === null ? null : new Date(Date.now() + days * DAY_MS).toISOString();
    const isDone = await carryOut(async () => setMade((await post<NewToken>(path, { note, scope, expires })).token));
    if (!isDone) return;
    setNote('');
    onMade?.();
  };
  if (made !== null) return <MadeToken token={made} onDone={() => setMade(null)} />;
  return (
    <>
      <form class="account-form" aria-label="New token" onSubmit={(event) => void make(event)}>
        <label class="form-field">
          What it is for
          <input class="input" placeholder="my laptop" value={note} onInput={(event) => setNote(event.currentTarget.value)} />
        </label>
        <label class="form-field">
          Scope
          <select class="input" value={scope} onChange={(event) => setScope(event.currentTarget.value as Scope)}>
            {scopes.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label class="form-field">
          Valid for
          <select class="input" value={String(lifetime)} onChange={(event) => setLifetime(Number(event.currentTarget.value))}>
            {LIFETIMES.map(({ name }, index) => (
              <option key={name} value={String(index)}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="button button-primary" disabled={isBusy}>
          Make a token
        </button>
      </form>
      {error && <ErrorNotice error={error} />}
    </>
  );
}

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  const { id, note, scope, created, expires, is_session } = token;
  return (
    <tr>
      <th scope="row">{is_session ? <span class="dim">session of a browser</span> : note || <span class="dim">no note</span>}</th>
      <td>{scope}</td>
      <td>
        <Time at={created} />
      </td>
      <td>{expires === null ? <span class="dim">never</span> : <Time at={expires} />}</td>
      <td class="align-right">
        <ConfirmButton
          name="Revoke"
          of={is_session ? 'session' : note || id}
          question={is_session ? 'End it?' : 'End it and the sessions opened with it?'}
          onConfirm={onRevoke}
        />
      </td>
    </tr>
  );
}

export function OwnTokens({ scope }: { scope: Scope }) {
  const { data, error, reload } = useResource<{ tokens: Token[] }>('/tokens');
  const action = useAction();
  const revoke = async (id: string): Promise<void> => {
    await action.carryOut(() => remove(`/tokens/${id}`));
    reload();
  };
  const problem = action.error ?? error;
  return (
    <Section title="Tokens">
      {problem && <ErrorNotice error={problem} />}
      <div class="table-scroll" tabIndex={0} role="group" aria-label="Tokens">
        <table class="data-table">
          <thead>
            <tr>
              <th scope="col">What it is for</th>
              <th scope="col">Scope</th>
              <th scope="col">Created</th>
              <th scope="col">Expires</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {data?.tokens.map((token) => (
              <TokenRow key={token.id} token={token} onRevoke={() => void revoke(token.id)} />
            ))}
          </tbody>
        </table>
      </div>
      <TokenForm path="/tokens" scopes={scopesUpTo(scope)} onMade={reload} />
    </Section>
  );
}
