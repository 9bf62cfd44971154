// Ends the browser's session.
import { remove } from './api';
import { toast } from './deletion';

export async function signOut(): Promise<void> {
  try {
    await remove('/session');
    // All that was loaded goes with the page.
    window.location.assign('/');
  } catch (error) {
    toast.set({ text: (error as Error).message, isGood: false, undo: null });
  }
}
