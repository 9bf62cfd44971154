// What a file is shown as, by its name and its first bytes.

export type Kind = 'image' | 'csv' | 'json' | 'checkpoint' | 'text' | 'binary';

const IMAGES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
};
const CHECKPOINTS = new Set([
  ...['npy', 'npz', 'safetensors', 'pt', 'pth', 'ckpt', 'bin', 'pkl', 'pck', 'pickle'],
  ...['gguf', 'onnx', 'h5', 'hdf5', 'keras', 'index'],
]);
const SHARDED = /\.(safetensors|bin|h5|msgpack)\.index\.json$/;

function extension(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase();
}

export function imageType(name: string): string | null {
  return IMAGES[extension(name)] ?? null;
}

export function separatorOf(name: string): string {
  return extension(name) === 'tsv' ? '\t' : ',';
}

// Null if the file's bytes must tell.
export function kindOfName(name: string): Kind | null {
  const known = extension(name);
  if (known in IMAGES) return 'image';
  if (CHECKPOINTS.has(known) || SHARDED.test(name)) return 'checkpoint';
  return null;
}

export function kindOfBytes(name: string, bytes: Uint8Array): Kind {
  if (bytes.subarray(0, 8192).includes(0)) return 'binary';
  const known = extension(name);
  if (known === 'csv' || known === 'tsv') return 'csv';
  if (known === 'json') return 'json';
  try {
    // A character may be cut off at the end.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, Math.max(0, bytes.length - 4)), { stream: true });
    return 'text';
  } catch {
    return 'binary';
  }
}

// Sixteen bytes a line, as hexdump -C writes them.
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}
