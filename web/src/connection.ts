// Whether the server answers. Whoever meets a broken connection tells; one place asks until it is back.
import { Store } from './store';
import type { Scope } from './types';

export interface Session {
  version: string;
  // What a change must bring; null where it needs none.
  token: string | null;
  // Null on a server of its own machine, and of who has not signed in.
  user: { name: string; scope: Scope } | null;
  signed_in: boolean;
}

export interface Connection {
  isLost: boolean;
  // How many times it came back: what was loaded before may be old.
  generation: number;
  session: Session | null;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;

export const connection = new Store<Connection>({ isLost: false, generation: 0, session: null });

let isAsking = false;
// The last one who was signed in while this page is open.
let lastUser: string | null = null;

// Throws if there is no answer. The token is another one after the server was started again, or someone signed in.
export async function loadSession(): Promise<Session> {
  const response = await fetch('/api/v1/session', { cache: 'no-store' });
  if (!response.ok) throw new Error('the server answered ' + response.status);
  const session = (await response.json()) as Session;
  // Another has signed in, in another tab: what was loaded for one user is not shown to the next.
  if (session.user && lastUser !== null && lastUser !== session.user.name) window.location.reload();
  lastUser = session.user?.name ?? lastUser;
  connection.set({ ...connection.value, session });
  return session;
}

export function reportLost(): void {
  if (!connection.value.isLost) connection.set({ ...connection.value, isLost: true });
  if (!isAsking) void askUntilBack();
}

async function askUntilBack(): Promise<void> {
  isAsking = true;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    try {
      await loadSession();
      break;
    } catch {
      // Still away.
    }
  }
  isAsking = false;
  const { generation, session } = connection.value;
  connection.set({ isLost: false, generation: generation + 1, session });
}
