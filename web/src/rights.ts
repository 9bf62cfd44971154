// What the one who looks may do, as far as the page knows: the rest is not offered. The server decides.
import { connection, type Session } from './connection';
import { useResource } from './resource';
import { useStore } from './store';
import type { Project, Run } from './types';

// On a server of its own machine everyone may do everything.
export function isAdmin(session: Session | null): boolean {
  return session !== null && session.signed_in && (session.user === null || session.user.scope === 'admin');
}

export function isAdminOf({ members }: Project, name: string): boolean {
  return members.some(({ user, role }) => role === 'admin' && (user === name || user === '*'));
}

// Whether an experiment may be stopped and deleted: by its owner and the admins of its project.
export function useMayChange(): (run: Run | undefined) => boolean {
  const { session } = useStore(connection);
  const name = session?.user?.scope === 'write' ? session.user.name : null;
  const { data } = useResource<{ projects: Project[] }>(name === null ? null : '/projects');
  return (run) => {
    if (isAdmin(session)) return true;
    if (name === null || run === undefined) return false;
    return run.owner === name || (data?.projects ?? []).some((project) => project.name === run.project && isAdminOf(project, name));
  };
}
