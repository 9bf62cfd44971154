// The checkpoints that an attempt wrote: how many, how often, how large, and whether they can be used.
import { useMemo, useState } from 'preact/hooks';

import { attemptPath, versionPath } from '../api';
import { Bar } from '../components/bar';
import { Fact, Facts, Section } from '../components/facts';
import { ErrorNotice, Notice } from '../components/notice';
import { isLive } from '../components/state';
import { Tensors } from '../components/tensors';
import { Age, Bytes } from '../components/time';
import { formatCount, formatDuration, shortCount } from '../format';
import { useInterval } from '../hooks';
import { useResource } from '../resource';
import type { Checkpoint, CheckpointFacts, CheckpointList } from '../types';
import type { TabProps } from './experiment';

const REFRESH_MS = 5000;
// In the drawing of sizes.
const MOST_BARS = 120;

function idOf({ artifact, version, path }: Checkpoint): string {
  return `${artifact}@${version}/${path}`;
}

function factsPath(experiment: string, { artifact, version, path }: Checkpoint): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `${versionPath(experiment, artifact, version)}/checkpoint/${encoded}`;
}

// The usual time from one to the next: half of them are closer together.
function cadence(checkpoints: readonly Checkpoint[]): number | null {
  const times = checkpoints.map(({ modified }) => Date.parse(modified)).sort((a, b) => a - b);
  const gaps = times.slice(1).map((time, index) => (time - times[index]!) / 1000);
  gaps.sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)] ?? null;
}

function Trend({ checkpoints }: { checkpoints: readonly Checkpoint[] }) {
  const shown = checkpoints.slice(-MOST_BARS);
  const most = Math.max(1, ...shown.map(({ bytes }) => bytes));
  return (
    <svg class="trend" style={{ width: `${shown.length * 6}px` }} viewBox={`0 0 ${shown.length * 4} 24`} preserveAspectRatio="none" role="img" aria-label="Sizes, the oldest first">
      {shown.map((checkpoint, index) => {
        const height = Math.max(1, (checkpoint.bytes / most) * 24);
        return <rect key={idOf(checkpoint)} x={index * 4} y={24 - height} width="3" height={height} />;
      })}
    </svg>
  );
}

function Summary({ checkpoints }: { checkpoints: readonly Checkpoint[] }) {
  const newest = checkpoints[checkpoints.length - 1];
  const every = cadence(checkpoints);
  const bytes = checkpoints.reduce((sum, checkpoint) => sum + checkpoint.bytes, 0);
  const incomplete = checkpoints.filter((checkpoint) => checkpoint.incomplete !== null || checkpoint.problem !== null).length;
  const dangerous = checkpoints.filter((checkpoint) => checkpoint.dangerous.length > 0).length;
  return (
    <Facts>
      <Fact name="Checkpoints">{formatCount(checkpoints.length)}</Fact>
      <Fact name="Cadence">{every === null ? '–' : `every ${formatDuration(every)}`}</Fact>
      <Fact name="Newest">{newest ? <Age at={newest.modified} /> : '–'}</Fact>
      <Fact name="Sizes">
        <Bytes count={bytes} /> in all <Trend checkpoints={checkpoints} />
      </Fact>
      <Fact name="Not whole">{incomplete === 0 ? 'none' : <span class="bad">{formatCount(incomplete)}</span>}</Fact>
      <Fact name="Dangerous">{dangerous === 0 ? 'none' : <span class="bad">{formatCount(dangerous)}</span>}</Fact>
    </Facts>
  );
}

function Marks({ checkpoint: { incomplete, dangerous, problem } }: { checkpoint: Checkpoint }) {
  return (
    <>
      {incomplete !== null && (
        <span class="badge badge-warn" title={incomplete}>
          incomplete
        </span>
      )}
      {dangerous.length > 0 && (
        <span class="badge badge-bad" title={`Loading it would call ${dangerous.join(', ')}`}>
          dangerous
        </span>
      )}
      {problem !== null && (
        <span class="badge badge-bad" title={problem}>
          unreadable
        </span>
      )}
    </>
  );
}

function typesText(types: Record<string, number>): string {
  const names = Object.keys(types);
  if (names.length <= 1) return names.join('');
  return Object.entries(types)
    .map(([name, count]) => `${name} × ${formatCount(count)}`)
    .join(', ');
}

interface RowProps {
  checkpoint: Checkpoint;
  most: number;
  isOpen: boolean;
  isBase: boolean;
  onOpen: () => void;
  onBase: () => void;
}

function CheckpointRow({ checkpoint, most, isOpen, isBase, onOpen, onBase }: RowProps) {
  const { artifact, version, path, format, bytes, modified, step, epoch, tensors, parameters, types } = checkpoint;
  return (
    <tr class={isOpen ? 'row-open' : undefined}>
      <th scope="row" class="mono">
        <button type="button" class="link-button" aria-pressed={isOpen} onClick={onOpen}>
          {path}
        </button>
        <span class="dim">
          {' '}
          {artifact}@{version}
        </span>
        <Marks checkpoint={checkpoint} />
      </th>
      <td class="number align-right">{step === null ? '–' : formatCount(step)}</td>
      <td class="number align-right">{epoch === null ? '–' : formatCount(epoch)}</td>
      <td class="size-cell">
        <Bytes count={bytes} />
        <Bar share={bytes / most} />
      </td>
      <td class="number align-right" title={formatCount(parameters)}>
        {shortCount(parameters)}
      </td>
      <td class="number align-right">{formatCount(tensors)}</td>
      <td class="mono">{typesText(types)}</td>
      <td>{format}</td>
      <td>
        <Age at={modified} />
      </td>
      <td>
        <button type="button" class="button button-small toggle" aria-pressed={isBase} aria-label={`Compare with ${path} at ${version}`} onClick={onBase}>
          Base
        </button>
      </td>
    </tr>
  );
}

function Opened({ experiment, opened, base }: { experiment: string; opened: Checkpoint; base: Checkpoint | null }) {
  const facts = useResource<CheckpointFacts>(factsPath(experiment, opened));
  const baseFacts = useResource<CheckpointFacts>(base ? factsPath(experiment, base) : null);
  const error = facts.error ?? baseFacts.error;
  return (
    <Section title={`${opened.path} at ${opened.version}${base ? `, compared with ${base.path} at ${base.version}` : ''}`}>
      {error && <ErrorNotice error={error} />}
      {facts.data && (!base || baseFacts.data) && <Tensors facts={facts.data} base={baseFacts.data} />}
      {!error && !facts.data && <div class="preview-placeholder" aria-busy="true" />}
    </Section>
  );
}

const COLUMNS = ['Step', 'Epoch', 'Size', 'Parameters', 'Tensors'];

export function CheckpointsTab({ experiment: { key }, attempt }: TabProps) {
  const { data, error, reload } = useResource<CheckpointList>(attemptPath(key, attempt.number) + '/checkpoints');
  useInterval(reload, isLive(attempt.status) ? REFRESH_MS : null);
  const [openId, setOpenId] = useState<string | null>(null);
  const [baseId, setBaseId] = useState<string | null>(null);
  const newestFirst = useMemo(() => data?.checkpoints.toReversed() ?? [], [data]);
  if (error) return <ErrorNotice error={error} />;
  if (!data) return <div class="page-placeholder" aria-busy="true" />;
  if (newestFirst.length === 0) {
    return (
      <div class="empty">
        <h2>No checkpoints</h2>
        <p>Files of PyTorch, TensorFlow, Keras, ONNX, GGUF, safetensors, NumPy and pickles in the artifacts of this attempt are listed here.</p>
      </div>
    );
  }
  const most = Math.max(1, ...newestFirst.map(({ bytes }) => bytes));
  const opened = newestFirst.find((checkpoint) => idOf(checkpoint) === openId) ?? null;
  const base = newestFirst.find((checkpoint) => idOf(checkpoint) === baseId) ?? null;
  return (
    <div class="checkpoints">
      <Summary checkpoints={data.checkpoints} />
      {data.cut && <Notice kind="info" title="There may be more; these are the first that were found." />}
      <div class="table-scroll" tabIndex={0} role="group" aria-label="Checkpoints">
        <table class="data-table">
          <thead>
            <tr>
              <th scope="col">File</th>
              {COLUMNS.map((name) => (
                <th key={name} scope="col" class="align-right">
                  {name}
                </th>
              ))}
              <th scope="col">Types</th>
              <th scope="col">Format</th>
              <th scope="col">Written</th>
              <th scope="col">Compare</th>
            </tr>
          </thead>
          <tbody>
            {newestFirst.map((checkpoint) => {
              const id = idOf(checkpoint);
              return (
                <CheckpointRow
                  key={id}
                  checkpoint={checkpoint}
                  most={most}
                  isOpen={id === openId}
                  isBase={id === baseId}
                  onOpen={() => setOpenId(id === openId ? null : id)}
                  onBase={() => setBaseId(id === baseId ? null : id)}
                />
              );
            })}
          </tbody>
        </table>
      </div>
      {opened ? (
        <Opened experiment={key} opened={opened} base={base === opened ? null : base} />
      ) : (
        <p class="dim">Choose a file to see its tensors, and another as the base that it is compared with.</p>
      )}
    </div>
  );
}
