// Shows attempts in the user's own TensorBoard, which the server starts.
import { useState } from 'preact/hooks';

import { ApiError, getJson, post, remove } from '../api';
import { ErrorNotice, Notice } from '../components/notice';
import type { TensorBoard } from '../types';
import type { ScalarSource } from './lines';

// The server holds the answer while it starts.
async function start(sources: readonly ScalarSource[]): Promise<TensorBoard> {
  const query = new URLSearchParams(sources.map(({ key, attempt }) => ['experiment', `${key}/${attempt}`]));
  let board = await post<TensorBoard>(`/tensorboards?${query.toString()}`);
  while (board.state === 'starting') board = await getJson<TensorBoard>(`/tensorboards/${board.id}`);
  return board;
}

// A browser opens a tab only at once when a button is pressed.
function openTab(): Window | null {
  const tab = window.open('', '_blank');
  if (tab) {
    tab.opener = null;
    tab.document.title = 'TensorBoard';
    tab.document.body.textContent = 'TensorBoard is starting…';
  }
  return tab;
}

function Trouble({ board, error }: { board: TensorBoard | null; error: Error | null }) {
  if (error instanceof ApiError && error.code === 'unsupported') {
    return (
      <Notice kind="info" title={error.message}>
        <p>
          <code>pip install tensorboard</code> into the Python of your scripts, then try again. The charts on this page need nothing.
        </p>
      </Notice>
    );
  }
  if (error) return <ErrorNotice error={error} />;
  if (board?.state !== 'failed') return null;
  return <Notice kind="bad" title={board.failure ?? 'TensorBoard ended.'}>{board.output && <pre>{board.output}</pre>}</Notice>;
}

export function TensorBoardControl({ sources }: { sources: readonly ScalarSource[] }) {
  const [board, setBoard] = useState<TensorBoard | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const [isBlocked, setIsBlocked] = useState(false);

  const carryOut = async (action: () => Promise<TensorBoard | null>): Promise<void> => {
    setIsBusy(true);
    setError(null);
    try {
      setBoard(await action());
    } catch (reason) {
      setBoard(null);
      setError(reason as Error);
    }
    setIsBusy(false);
  };
  const open = async (): Promise<TensorBoard> => {
    const tab = openTab();
    setIsBlocked(tab === null);
    try {
      const started = await start(sources);
      if (started.state === 'running') tab?.location.replace(started.url);
      else tab?.close();
      return started;
    } catch (reason) {
      tab?.close();
      throw reason;
    }
  };
  const end = async (): Promise<null> => {
    if (board) await remove<unknown>(`/tensorboards/${board.id}`);
    return null;
  };

  const isRunning = board?.state === 'running';
  return (
    <div class="tensorboard">
      <button type="button" class="button" disabled={isBusy} onClick={() => void carryOut(open)}>
        {isBusy && !isRunning ? 'Starting TensorBoard…' : 'Open TensorBoard'}
      </button>
      {isRunning && (
        <button type="button" class="button" disabled={isBusy} onClick={() => void carryOut(end)}>
          End TensorBoard
        </button>
      )}
      {isRunning && isBlocked && (
        <a href={board.url} target="_blank" rel="noopener">
          TensorBoard runs
        </a>
      )}
      <Trouble board={board} error={error} />
    </div>
  );
}
