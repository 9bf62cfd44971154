// Who may use the server, for its administrators.
import { useState } from 'preact/hooks';

import { post, remove } from '../api';
import { ConfirmButton } from '../components/confirm';
import { Section } from '../components/facts';
import { ErrorNotice } from '../components/notice';
import { Time } from '../components/time';
import { useResource } from '../resource';
import type { User } from '../types';
import { useAction } from './action';
import { scopesUpTo, TokenForm } from './tokens';

function userPath(name: string): string {
  return '/users/' + encodeURIComponent(name);
}

export function Users({ me }: { me: string }) {
  const { data, error, reload } = useResource<{ users: User[] }>('/users');
  const [name, setName] = useState('');
  const [isAdmin, setIsAdmin] = useState(false);
  // For whom a token is made.
  const [chosen, setChosen] = useState<User | null>(null);
  const action = useAction();

  const add = async (event: Event): Promise<void> => {
    event.preventDefault();
    const isDone = await action.carryOut(async () => setChosen(await post<User>('/users', { name: name.trim(), is_admin: isAdmin })));
    if (!isDone) return;
    setName('');
    setIsAdmin(false);
    reload();
  };
  const drop = async (user: string): Promise<void> => {
    await action.carryOut(() => remove(userPath(user)));
    if (chosen?.name === user) setChosen(null);
    reload();
  };
  const problem = action.error ?? error;
  return (
    <Section title="Users">
      {problem && <ErrorNotice error={problem} />}
      <div class="table-scroll" tabIndex={0} role="group" aria-label="Users">
        <table class="data-table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Created</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {data?.users.map((user) => (
              <tr key={user.name}>
                <th scope="row">
                  {user.name}
                  {user.is_admin && <span class="badge badge-warn">administrator</span>}
                </th>
                <td>
                  <Time at={user.created} />
                </td>
                <td class="align-right account-actions">
                  {user.name !== me && (
                    <>
                      <button type="button" class="button" aria-label={`New token for ${user.name}`} onClick={() => setChosen(user)}>
                        New token
                      </button>
                      <ConfirmButton
                        name="Remove"
                        of={user.name}
                        question="Remove the user and their tokens? Experiments stay."
                        onConfirm={() => void drop(user.name)}
                      />
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen && (
        <div class="account-part">
          <h3>A token for {chosen.name}</h3>
          <TokenForm
            key={chosen.name}
            path={userPath(chosen.name) + '/tokens'}
            scopes={scopesUpTo(chosen.is_admin ? 'admin' : 'write')}
          />
        </div>
      )}
      <form class="account-form" aria-label="New user" onSubmit={(event) => void add(event)}>
        <label class="form-field">
          Name
          <input class="input" required spellcheck={false} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label class="field account-check">
          <input type="checkbox" checked={isAdmin} onChange={(event) => setIsAdmin(event.currentTarget.checked)} />
          Administrator
        </label>
        <button type="submit" class="button" disabled={action.isBusy}>
          Add a user
        </button>
      </form>
    </Section>
  );
}
