// Hooks that several components use.
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';

import { Store, useStore } from './store';

const clock = new Store(Date.now());
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

// The time, each second while something ticks; all that tick do so together.
export function useNow(isTicking: boolean): number {
  useEffect(() => {
    if (!isTicking) return;
    clock.set(Date.now());
    watchers += 1;
    timer ??= setInterval(() => clock.set(Date.now()), 1000);
    return () => {
      watchers -= 1;
      if (watchers > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, [isTicking]);
  return useStore(clock);
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const update = (): void => setMatches(list.matches);
    update();
    list.addEventListener('change', update);
    return () => list.removeEventListener('change', update);
  }, [query]);
  return matches;
}

// What is given last, when it has not changed for a while.
export function useDebounced<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timeout = setTimeout(() => setSettled(() => value), ms);
    return () => clearTimeout(timeout);
  }, [value, ms]);
  return settled;
}

export interface Size {
  width: number;
  height: number;
}

// Zero until it is laid out.
export function useSize(element: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const update = (): void => {
      const { clientWidth: width, clientHeight: height } = target;
      setSize((before) => (before.width === width && before.height === height ? before : { width, height }));
    };
    update();
    const observer = new ResizeObserver(update);
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

// Whether it has been in sight, or nearly: what is far down is not loaded before someone goes there.
export function useIsNear(element: RefObject<HTMLElement | null>): boolean {
  const [isNear, setIsNear] = useState(false);
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const observer = new IntersectionObserver((entries) => setIsNear(entries.some((entry) => entry.isIntersecting)), {
      rootMargin: '200px',
    });
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return isNear;
}

// Calls it again and again while the page is looked at.
export function useInterval(callback: () => void, ms: number | null): void {
  const latest = useRef(callback);
  latest.current = callback;
  useEffect(() => {
    if (ms === null) return;
    const interval = setInterval(() => {
      if (!document.hidden) latest.current();
    }, ms);
    return () => clearInterval(interval);
  }, [ms]);
}

// For what is kept outside of components and tells when it has changed.
export function useRerender(): () => void {
  const [, dispatch] = useReducer((count: number, _action: null) => count + 1, 0);
  const rerender = useRef(() => dispatch(null));
  return rerender.current;
}

interface Followed {
  subscribe: (listener: () => void) => () => void;
}

// Renders again when it tells that it has changed.
export function useFollow(followed: Followed): void {
  const rerender = useRerender();
  useLayoutEffect(() => {
    // It may have changed since it was rendered.
    rerender();
    return followed.subscribe(rerender);
  }, [followed, rerender]);
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Studio` : 'Studio';
  }, [title]);
}
