// Who is signed in, and what they have a say in.
import { Projects } from '../account/projects';
import { OwnTokens } from '../account/tokens';
import { Users } from '../account/users';
import { connection } from '../connection';
import { useTitle } from '../hooks';
import { signOut } from '../session';
import { useStore } from '../store';
import type { Scope } from '../types';

const MAY: Record<Scope, string> = {
  read: 'look',
  work: 'look, and add to experiments as a worker does',
  write: 'run, stop and delete experiments',
  admin: 'do everything',
};

export function AccountPage() {
  useTitle('Account');
  const user = useStore(connection).session?.user;
  return (
    <div class="page account">
      <div class="page-head">
        <h1 class="page-title">Account</h1>
        {user && (
          <button type="button" class="button" onClick={() => void signOut()}>
            Sign out
          </button>
        )}
      </div>
      {user ? (
        <>
          <p>
            You are <strong>{user.name}</strong>, and may {MAY[user.scope]} here.
          </p>
          <OwnTokens scope={user.scope} />
          {(user.scope === 'write' || user.scope === 'admin') && <Projects me={user.name} isServerAdmin={user.scope === 'admin'} />}
          {user.scope === 'admin' && <Users me={user.name} />}
        </>
      ) : (
        <p class="dim">This server is for its own machine: it has no accounts.</p>
      )}
    </div>
  );
}
