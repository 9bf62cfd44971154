// Requests to the server.
import { connection, loadSession, reportLost, type Session } from './connection';

const BASE = '/api/v1';

// What the server refused, in its words.
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null,
  ) {
    super(message);
  }
}

export class LostServerError extends Error {
  constructor() {
    super('The server does not answer.');
  }
}

export function apiUrl(path: string): string {
  return BASE + path;
}

export function experimentPath(key: string): string {
  return '/experiments/' + encodeURIComponent(key);
}

export function attemptPath(key: string, attempt: number): string {
  return experimentPath(key) + '/attempts/' + attempt;
}

export function versionPath(key: string, tag: string, version: string): string {
  return experimentPath(key) + '/artifacts/' + encodeURIComponent(tag) + '/versions/' + encodeURIComponent(version);
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string; hint: string | null } };
    return new ApiError(response.status, error.code, error.message, error.hint);
  } catch {
    return new ApiError(response.status, 'internal', 'the server answered ' + response.status, null);
  }
}

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    reportLost();
    throw new LostServerError();
  }
  // The session has ended: the page learns it before whoever asked shows an error.
  if (response.status === 401) await loadSession().catch(reportLost);
  if (!response.ok) throw await errorOf(response);
  return response;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, { signal: signal ?? null });
  return (await response.json()) as T;
}

// The first `length` bytes of a file.
export async function getHead(path: string, length: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const response = await request(path, { signal, headers: { Range: `bytes=0-${length - 1}` } });
  return new Uint8Array(await response.arrayBuffer());
}

// The last `length` bytes of a text, or all of it; empty if there are none.
export async function getTail(path: string, length: number, signal: AbortSignal): Promise<string> {
  const head = await request(path, { method: 'HEAD', signal });
  if (head.headers.get('Content-Length') === '0') return '';
  const response = await request(path, { signal, headers: { Range: `bytes=-${length}` } });
  return response.text();
}

async function changeOnce<T>({ token }: Session, method: string, path: string, body?: object): Promise<T> {
  const headers: HeadersInit = token === null ? {} : { 'X-Studio-Token': token };
  const response = await request(path, { method, headers, body: body ? JSON.stringify(body) : null });
  return (await response.json()) as T;
}

async function change<T>(method: string, path: string, body?: object): Promise<T> {
  const before = connection.value.session ?? (await loadSession());
  try {
    return await changeOnce<T>(before, method, path, body);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    // Perhaps the server was started again since the token was read, or its user has signed in again. What one user
    // asked for is not done in the name of another.
    const now = await loadSession();
    if (now.token === before.token || now.user?.name !== before.user?.name) throw error;
    return changeOnce<T>(now, method, path, body);
  }
}

export function post<T>(path: string, body?: object): Promise<T> {
  return change<T>('POST', path, body);
}

export function put<T>(path: string, body: object): Promise<T> {
  return change<T>('PUT', path, body);
}

export function remove<T>(path: string): Promise<T> {
  return change<T>('DELETE', path);
}
