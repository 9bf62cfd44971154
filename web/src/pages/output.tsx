// What the script wrote, as a terminal shows it, while it writes.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';

import { apiUrl, attemptPath } from '../api';
import { Icon } from '../components/icon';
import { ErrorNotice, Notice } from '../components/notice';
import { isLive } from '../components/state';
import { formatBytes, formatCount, plural } from '../format';
import { useDebounced, useFollow, useRerender } from '../hooks';
import { OutputReader } from '../terminal/reader';
import { Search } from '../terminal/search';
import { Terminal, type TerminalHandle } from '../terminal/terminal';
import type { TabProps } from './experiment';

const SEARCH_DELAY_MS = 150;
const SEARCH_BUDGET_MS = 8;

// Goes on searching as output comes in, for a short while in each frame.
function useSearch(reader: OutputReader, text: string): Search | null {
  const rerender = useRerender();
  const search = useMemo(() => (text ? new Search(reader.screen, text) : null), [reader, text]);
  useEffect(() => {
    if (!search) return;
    let frame = 0;
    const work = (): void => {
      frame = 0;
      const isDone = search.advance(performance.now() + SEARCH_BUDGET_MS);
      if (!isDone) frame = requestAnimationFrame(work);
      rerender();
    };
    const unsubscribe = reader.subscribe(() => {
      frame ||= requestAnimationFrame(work);
    });
    work();
    return () => {
      unsubscribe();
      cancelAnimationFrame(frame);
    };
  }, [search, reader, rerender]);
  return search;
}

interface SearchFieldProps {
  text: string;
  onText: (text: string) => void;
  search: Search | null;
  at: number | null;
  onStep: (step: 1 | -1) => void;
}

function SearchField({ text, onText, search, at, onStep }: SearchFieldProps) {
  const count = search?.count ?? 0;
  const told = !search ? '' : count === 0 ? 'no match' : `${at === null ? '' : `${formatCount(at + 1)} of `}${formatCount(count)}${search.isFull ? '+' : ''}`;
  return (
    <div class="output-search" role="search">
      <input
        type="search"
        class="input"
        placeholder="Search output"
        aria-label="Search output"
        spellcheck={false}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          onStep(event.shiftKey ? -1 : 1);
        }}
      />
      <span class="match-count number" role="status">
        {told}
      </span>
      <button type="button" class="icon-button" aria-label="Previous match" disabled={count === 0} onClick={() => onStep(-1)}>
        <Icon name="up" />
      </button>
      <button type="button" class="icon-button" aria-label="Next match" disabled={count === 0} onClick={() => onStep(1)}>
        <Icon name="down" />
      </button>
    </div>
  );
}

export function OutputTab({ experiment, attempt }: TabProps) {
  const { key } = experiment;
  const wasLive = useRef(isLive(attempt.status)).current;
  const reader = useMemo(() => new OutputReader(key, attempt.number, wasLive), [key, attempt.number, wasLive]);
  useFollow(reader);
  useEffect(() => {
    reader.start();
    return () => reader.stop();
  }, [reader]);

  const [isFollowing, setIsFollowing] = useState(wasLive);
  const [isWrapped, setIsWrapped] = useState(true);
  const [text, setText] = useState('');
  const searched = useDebounced(text, SEARCH_DELAY_MS);
  const search = useSearch(reader, searched);
  const [at, setAt] = useState<number | null>(null);
  const terminal = useRef<TerminalHandle>(null);
  useEffect(() => setAt(null), [search]);

  // Asked for before anything was found: gone to when it is.
  const pending = useRef<1 | -1 | null>(null);
  const step = (by: 1 | -1): void => {
    if (!search || search.text !== text || search.count === 0) {
      pending.current = by;
      return;
    }
    pending.current = null;
    const { count } = search;
    const next = at === null ? search.from(terminal.current?.firstLine() ?? 0) : (at + by + count) % count;
    setAt(next);
    setIsFollowing(false);
    terminal.current?.reveal(search.match(next));
  };
  useEffect(() => {
    if (pending.current !== null) step(pending.current);
  });
  const changeText = (next: string): void => {
    pending.current = null;
    setText(next);
  };
  const follow = useCallback((wanted: boolean) => {
    setIsFollowing(wanted);
  }, []);
  const toggleFollow = (): void => {
    if (!isFollowing) terminal.current?.toEnd();
    setIsFollowing(!isFollowing);
  };

  const { screen } = reader;
  const isNothing = screen.length === 0 && reader.state !== 'loading';
  return (
    <div class="output">
      <div class="toolbar">
        <SearchField text={text} onText={changeText} search={search} at={at} onStep={step} />
        <span class="dim number output-length">
          {reader.state === 'live' && <span class="live-dot">live</span>}
          {plural(screen.kept.dropped + screen.length, 'line')}
        </span>
        <button type="button" class="button toggle" aria-pressed={isFollowing} onClick={toggleFollow}>
          Follow
        </button>
        <button type="button" class="button toggle" aria-pressed={isWrapped} onClick={() => setIsWrapped(!isWrapped)}>
          Wrap
        </button>
        <a class="button" href={apiUrl(attemptPath(key, attempt.number) + '/output')} download={`${key}-${attempt.number}.log`}>
          <Icon name="download" />
          Download
        </a>
      </div>
      {reader.error && <ErrorNotice error={reader.error} />}
      {reader.skippedBytes > 0 && (
        <Notice kind="info" title={`The first ${formatBytes(reader.skippedBytes)} are not shown; the download has them.`} />
      )}
      <div class="terminal-frame">
        <Terminal
          reader={reader}
          isWrapped={isWrapped}
          isFollowing={isFollowing}
          onFollow={follow}
          search={searched}
          match={search && at !== null && at < search.count ? search.match(at) : null}
          handle={terminal}
        />
        {isNothing && <p class="terminal-empty dim">{isLive(attempt.status) ? 'Nothing written yet.' : 'Nothing was written.'}</p>}
      </div>
    </div>
  );
}
