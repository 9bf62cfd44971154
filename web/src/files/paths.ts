// Paths within a version. Names need not be text, so a path is kept percent-encoded, a component at a time, as addresses hold it.
import type { TreeEntry } from '../types';

export function encodeName({ name, name_hex: bytes }: Pick<TreeEntry, 'name' | 'name_hex'>): string {
  return bytes === undefined ? encodeURIComponent(name) : bytes.replace(/../g, '%$&');
}

export function joinPath(directory: string, component: string): string {
  return directory === '' ? component : `${directory}/${component}`;
}

// For people: what is no UTF-8 stays encoded.
export function decodeName(component: string): string {
  try {
    return decodeURIComponent(component);
  } catch {
    return component;
  }
}

export function baseName(path: string): string {
  return decodeName(path.slice(path.lastIndexOf('/') + 1));
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

// As the value of a query: the slashes are encoded too.
export function pathParameter(path: string): string {
  return path.replaceAll('/', '%2F');
}
