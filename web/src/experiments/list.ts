// A list of experiments of which a window is held here: rows are loaded in pages as they come into sight.
import { getJson, LostServerError } from '../api';
import { startFeed } from '../events';
import type { ParameterName, Run, RunList } from '../types';
import { isListed, listPath, type ListQuery } from './query';

export const PAGE_ROWS = 200;
// Those farthest from what is in sight are forgotten.
const MOST_PAGES = 30;

interface Place {
  page: number;
  row: number;
}

export class ExperimentList {
  // Null: not known yet.
  total: number | null = null;
  // Names of what may have a column.
  metrics: readonly string[] = [];
  parameters: readonly ParameterName[] = [];
  problems: RunList['problems'] = [];
  error: Error | null = null;
  // New experiments that the rows here do not have yet.
  newKeys = new Set<string>();
  // Something else has changed that puts rows in other places.
  isOutdated = false;
  // Rows here were deleted, or those that went are back: it is to be loaded again at once.
  isWrong = false;
  // How often it was loaded anew.
  round = 0;
  // Kept for who comes back to the list.
  scrollTop = 0;

  private pages = new Map<number, Run[]>();
  private places = new Map<string, Place>();
  // Rows that left because they were deleted, or restored.
  private gone = new Set<string>();
  private loading = new Map<number, AbortController>();
  private window: [number, number] = [0, PAGE_ROWS];
  private sequence = 0;
  private listeners = new Set<() => void>();

  constructor(readonly query: ListQuery) {}

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  row(index: number): Run | undefined {
    return this.pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS];
  }

  indexOf(key: string): number | null {
    const place = this.places.get(key);
    return place ? place.page * PAGE_ROWS + place.row : null;
  }

  // Those that are held here.
  *runs(): Iterable<Run> {
    for (const page of this.pages.values()) yield* page;
  }

  get isNewestFirst(): boolean {
    return this.query.sort.key === 'created' && this.query.sort.isDescending;
  }

  // Rows `first` to `last` are in sight.
  show(first: number, last: number): void {
    this.window = [first, last];
    const end = this.total === null ? 1 : Math.max(1, Math.ceil(this.total / PAGE_ROWS));
    for (let page = Math.floor(first / PAGE_ROWS); page <= Math.floor(last / PAGE_ROWS) && page < end; ++page)
      if (!this.pages.has(page) && !this.loading.has(page)) void this.load(page);
  }

  // Loads what is in sight again and then forgets the rest; until then the rows stay as they are.
  async refresh(): Promise<void> {
    for (const abort of this.loading.values()) abort.abort();
    this.loading.clear();
    const abort = new AbortController();
    const first = Math.floor(this.window[0] / PAGE_ROWS);
    const last = Math.floor(this.window[1] / PAGE_ROWS);
    const wanted = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    for (const page of wanted) this.loading.set(page, abort);
    this.isOutdated = false;
    this.isWrong = false;
    try {
      const lists = await Promise.all(wanted.map((page) => this.fetch(page, 0, abort.signal)));
      this.pages.clear();
      this.places.clear();
      this.newKeys = new Set();
      wanted.forEach((page, index) => this.keep(page, lists[index]!));
      this.error = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.fail(error as Error);
    }
    for (const page of wanted) this.loading.delete(page);
    this.round += 1;
    this.tell();
  }

  apply(run: Run, sequence: number): void {
    // What was loaded after the change has it, and perhaps later ones.
    if (sequence <= this.sequence || this.total === null) return;
    this.learnMetrics(run.metrics.map(({ name }) => name));
    const place = this.places.get(run.key);
    const isWanted = isListed(this.query, run);
    if (isWanted && this.gone.delete(run.key)) {
      this.isWrong = true;
    } else if (place && (run.deleted !== null) !== this.query.deleted) {
      this.gone.add(run.key);
      this.isWrong = true;
    } else if (place) {
      const page = this.pages.get(place.page)!;
      // An attempt more does not make it another experiment, so its place by `created` stays.
      if (!isWanted || !['created', 'key'].includes(this.query.sort.key)) this.isOutdated = true;
      page[place.row] = run;
    } else if (isWanted) {
      const newest = this.row(0);
      const isNew = this.isNewestFirst && (!newest || run.created > newest.created);
      // Others are further down in the list, where nobody looks.
      if (isNew) this.newKeys.add(run.key);
      else if (!this.isNewestFirst || this.query.statuses.length > 0 || this.hasPlaceFor(run)) this.isOutdated = true;
      else return;
    } else {
      return;
    }
    this.tell();
  }

  // Whether it belongs between rows that are held here, the newest first.
  private hasPlaceFor(run: Run): boolean {
    for (const page of this.pages.values()) {
      const oldest = page.length < PAGE_ROWS ? '' : page.at(-1)!.created;
      if (page.length > 0 && page[0]!.created >= run.created && run.created >= oldest) return true;
    }
    return false;
  }

  private fetch(page: number, shift: number, signal: AbortSignal): Promise<RunList> {
    return getJson<RunList>(listPath(this.query, page * PAGE_ROWS + shift, PAGE_ROWS), signal);
  }

  private async load(page: number): Promise<void> {
    const abort = new AbortController();
    this.loading.set(page, abort);
    try {
      // New ones have moved all others down by as many rows; the rows here shall go on where they end.
      const list = await this.fetch(page, this.newKeys.size, abort.signal);
      this.keep(page, list);
      this.error = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.fail(error as Error);
    }
    this.loading.delete(page);
    this.tell();
  }

  private keep(page: number, list: RunList): void {
    if (this.total === null) startFeed(list.sequence);
    this.total = list.total - this.newKeys.size;
    this.problems = list.problems;
    this.learnMetrics(list.metrics);
    // The same array as long as it says the same: rows are drawn again for another.
    if (JSON.stringify(list.parameters) !== JSON.stringify(this.parameters)) this.parameters = list.parameters;
    this.sequence = Math.max(this.sequence, list.sequence);
    this.pages.set(page, list.runs);
    list.runs.forEach((run, row) => this.places.set(run.key, { page, row }));
    this.forgetFarPages();
  }

  // Columns stay where they are while more come in.
  private learnMetrics(names: readonly string[]): void {
    const added = names.filter((name) => !this.metrics.includes(name));
    if (added.length > 0) this.metrics = [...this.metrics, ...added];
  }

  private forgetFarPages(): void {
    const middle = (this.window[0] + this.window[1]) / 2 / PAGE_ROWS;
    const byDistance = [...this.pages.keys()].sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    for (const page of byDistance.slice(MOST_PAGES)) {
      for (const run of this.pages.get(page) ?? []) this.places.delete(run.key);
      this.pages.delete(page);
    }
  }

  private fail(error: Error): void {
    // The banner tells that the server is away, and all is loaded again when it is back.
    if (!(error instanceof LostServerError)) this.error = error;
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
