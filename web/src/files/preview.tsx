// What is in a file, without ever handing it to the browser as something to run.
import { useEffect, useState } from 'preact/hooks';

import { apiUrl, getHead, request, versionPath } from '../api';
import { Icon } from '../components/icon';
import { ErrorNotice, Notice } from '../components/notice';
import { Tensors } from '../components/tensors';
import { Bytes } from '../components/time';
import { formatBytes } from '../format';
import { useResource } from '../resource';
import type { CheckpointFacts } from '../types';
import { parseCsv } from './csv';
import { hexDump, imageType, kindOfBytes, kindOfName, separatorOf, type Kind } from './kind';
import { baseName } from './paths';

const HEAD_BYTES = 256 * 1024;
const HEX_BYTES = 512;
const MOST_IMAGE_BYTES = 32_000_000;
const MOST_CSV_ROWS = 200;

export interface FilePlace {
  experiment: string;
  tag: string;
  version: string;
  path: string;
  size: number;
}

function filePath({ experiment, tag, version, path }: FilePlace): string {
  return `${versionPath(experiment, tag, version)}/files/${path}`;
}

function CsvTable({ rows }: { rows: readonly string[][] }) {
  const [head = [], ...body] = rows;
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label="Rows">
      <table class="data-table">
        <thead>
          <tr>
            {head.map((name, index) => (
              <th key={index} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {body.map((row, index) => (
            <tr key={index}>
              {row.map((value, column) => (
                <td key={column} class={value !== '' && Number.isFinite(Number(value)) ? 'number align-right' : undefined}>
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TextBlock({ text, label }: { text: string; label: string }) {
  return (
    <pre class="text-block" tabIndex={0} aria-label={label}>
      {text}
    </pre>
  );
}

function prettyJson(text: string): string | null {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

function Content({ name, kind, bytes, size }: { name: string; kind: Kind; bytes: Uint8Array; size: number }) {
  const isWhole = bytes.length >= size;
  const cut = !isWhole && <p class="dim">The first {formatBytes(bytes.length)} are shown.</p>;
  if (kind === 'binary') {
    return (
      <>
        <TextBlock text={hexDump(bytes.subarray(0, HEX_BYTES))} label="Bytes" />
        {size > HEX_BYTES && <p class="dim">The first {HEX_BYTES} bytes are shown.</p>}
      </>
    );
  }
  const text = new TextDecoder().decode(bytes, { stream: !isWhole });
  if (kind === 'csv') {
    const { rows, isCut } = parseCsv(text, separatorOf(name), MOST_CSV_ROWS + 1, isWhole);
    return (
      <>
        <CsvTable rows={rows} />
        {isCut && <p class="dim">The first {rows.length - 1} rows are shown.</p>}
      </>
    );
  }
  const pretty = kind === 'json' && isWhole ? prettyJson(text) : null;
  return (
    <>
      <TextBlock text={pretty ?? text} label="Content" />
      {cut}
    </>
  );
}

function useHead(path: string): { bytes: Uint8Array | null; error: Error | null } {
  const [loaded, setLoaded] = useState<{ path: string; bytes: Uint8Array | null; error: Error | null } | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    getHead(path, HEAD_BYTES, abort.signal).then(
      (bytes) => setLoaded({ path, bytes, error: null }),
      (error: unknown) => {
        if (!abort.signal.aborted) setLoaded({ path, bytes: null, error: error as Error });
      },
    );
    return () => abort.abort();
  }, [path]);
  return loaded?.path === path ? loaded : { bytes: null, error: null };
}

function ByContent({ place }: { place: FilePlace }) {
  const name = baseName(place.path);
  const { bytes, error } = useHead(filePath(place));
  if (error) return <ErrorNotice error={error} />;
  if (!bytes) return <div class="preview-placeholder" aria-busy="true" />;
  return <Content name={name} kind={kindOfBytes(name, bytes)} bytes={bytes} size={place.size} />;
}

function Picture({ place }: { place: FilePlace }) {
  const [url, setUrl] = useState<string | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [size, setSize] = useState('');
  const path = filePath(place);
  const name = baseName(place.path);
  useEffect(() => {
    const abort = new AbortController();
    let made: string | null = null;
    const load = async (): Promise<void> => {
      const response = await request(path, { signal: abort.signal });
      made = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: imageType(name) ?? 'image/png' }));
      setUrl(made);
    };
    load().catch((reason: unknown) => {
      if (!abort.signal.aborted) setError(reason as Error);
    });
    return () => {
      abort.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [path, name]);
  if (error) return <ErrorNotice error={error} />;
  return (
    <figure class="picture">
      {url && (
        <img
          src={url}
          alt={name}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => setSize(`${naturalWidth} × ${naturalHeight}`)}
          onError={() => setError(new Error('The file is no picture that the browser can show.'))}
        />
      )}
      <figcaption class="dim number">{size}</figcaption>
    </figure>
  );
}

function CheckpointPreview({ place }: { place: FilePlace }) {
  const { experiment, tag, version, path } = place;
  const { data, error } = useResource<CheckpointFacts>(`${versionPath(experiment, tag, version)}/checkpoint/${path}`);
  if (error) {
    return (
      <>
        <Notice kind="info" title={error.message} />
        <ByContent place={place} />
      </>
    );
  }
  if (!data) return <div class="preview-placeholder" aria-busy="true" />;
  return (
    <>
      <p class="dim">{data.format}</p>
      <Tensors facts={data} base={null} />
    </>
  );
}

function Shown({ place }: { place: FilePlace }) {
  const kind = kindOfName(baseName(place.path));
  if (place.size === 0) return <p class="dim">The file is empty.</p>;
  if (kind === 'checkpoint') return <CheckpointPreview place={place} />;
  if (kind === 'image' && place.size <= MOST_IMAGE_BYTES) return <Picture place={place} />;
  return <ByContent place={place} />;
}

export function Preview({ place }: { place: FilePlace }) {
  return (
    <section class="preview" aria-label={`Preview of ${baseName(place.path)}`}>
      <div class="preview-head">
        <h3 class="mono">{baseName(place.path)}</h3>
        <span class="dim">
          <Bytes count={place.size} />
        </span>
        <a class="button" href={apiUrl(filePath(place))} download>
          <Icon name="download" />
          Download file
        </a>
      </div>
      <Shown place={place} />
    </section>
  );
}
