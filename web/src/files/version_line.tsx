// The versions of an artifact on a line of time, one of them chosen, under what a scalar did meanwhile.
import { useMemo, useRef } from 'preact/hooks';

import { formatBytes, formatNumber, formatTime, plural } from '../format';
import type { Version } from '../types';
import { Icon } from '../components/icon';
import { valueAt, type Curve } from './curve';

// The rest of a longer history is at such places too; more dots would only cover each other.
const MOST_DOTS = 1000;
// Of the drawings, which are stretched to the width that there is.
const WIDTH = 1000;
const HEIGHT = 100;

interface VersionLineProps {
  // The oldest first.
  versions: readonly Version[];
  chosen: Version;
  onChoose: (version: Version) => void;
  curve: Curve | null;
  // Whether a curve has its place, be it there yet or not: nothing moves when it comes.
  hasCurve: boolean;
}

// Where a time stands, from 0 to 1.
type TimeScale = (time: number) => number;

function useTimeScale(versions: readonly Version[], curve: Curve | null): TimeScale {
  return useMemo(() => {
    const times = [versions[0]!, versions[versions.length - 1]!].map(({ created }) => Date.parse(created));
    if (curve) times.push(curve.points[0]!.time, curve.points[curve.points.length - 1]!.time);
    const first = Math.min(...times);
    const span = Math.max(...times) - first;
    return (time: number) => (span === 0 ? 0.5 : (time - first) / span);
  }, [versions, curve]);
}

function CurveDrawing({ curve, scale, chosen }: { curve: Curve | null; scale: TimeScale; chosen: number }) {
  if (!curve) return <div class="version-curve" />;
  const values = curve.points.map(({ value }) => value);
  const least = values.reduce((a, b) => Math.min(a, b));
  const span = values.reduce((a, b) => Math.max(a, b)) - least;
  const line = curve.points.map(({ time, value }) => {
    const height = span === 0 ? 0.5 : (value - least) / span;
    return `${(scale(time) * WIDTH).toFixed(1)},${((1 - height) * (HEIGHT - 4) + 2).toFixed(1)}`;
  });
  const at = scale(chosen) * WIDTH;
  const value = valueAt(curve, chosen);
  const label = value === null ? `${curve.name}: not written yet` : `${curve.name}: ${formatNumber(value)}`;
  return (
    <figure class="version-curve">
      <figcaption class="dim">{label}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <line x1={at} x2={at} y1="0" y2={HEIGHT} class="track-line" />
        <polyline class="resource-line" points={line.join(' ')} />
      </svg>
    </figure>
  );
}

function describe({ version, created, reason, bytes }: Version): string {
  return `${version}, ${formatTime(new Date(created))}, ${reason}, ${formatBytes(bytes)}`;
}

export function VersionLine({ versions, chosen, onChoose, curve, hasCurve }: VersionLineProps) {
  const track = useRef<HTMLDivElement>(null);
  const scale = useTimeScale(versions, curve);
  const places = useMemo(() => versions.map(({ created }) => scale(Date.parse(created))), [versions, scale]);
  const at = versions.indexOf(chosen);
  const last = versions.length - 1;
  const choose = (index: number): void => {
    const version = versions[Math.max(0, Math.min(last, index))];
    if (version && version !== chosen) onChoose(version);
  };
  const chooseNearest = (event: MouseEvent): void => {
    const box = track.current?.getBoundingClientRect();
    if (!box || box.width === 0) return;
    const place = (event.clientX - box.left) / box.width;
    let nearest = 0;
    places.forEach((each, index) => {
      if (Math.abs(each - place) <= Math.abs(places[nearest]! - place)) nearest = index;
    });
    choose(nearest);
  };
  const onKey = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageDown: at - 10,
      PageUp: at + 10,
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
  };
  const step = Math.ceil(versions.length / MOST_DOTS);
  return (
    <div class="version-line">
      <div class="version-choice">
        <button type="button" class="icon-button" aria-label="Version before" disabled={at === 0} onClick={() => choose(at - 1)}>
          <Icon name="left" />
        </button>
        <select
          class="input"
          aria-label="Version"
          value={chosen.version}
          onChange={(event) => choose(versions.findIndex(({ version }) => version === event.currentTarget.value))}
        >
          {versions.toReversed().map((version) => (
            <option key={version.number} value={version.version}>
              {describe(version)}
            </option>
          ))}
        </select>
        <button type="button" class="icon-button" aria-label="Version after" disabled={at === last} onClick={() => choose(at + 1)}>
          <Icon name="right" />
        </button>
      </div>
      <div class="version-time">
        {hasCurve && <CurveDrawing curve={curve} scale={scale} chosen={Date.parse(chosen.created)} />}
        <div
          class="version-track"
          ref={track}
          role="slider"
          tabIndex={0}
          aria-label="Versions in time"
          aria-valuemin={0}
          aria-valuemax={last}
          aria-valuenow={at}
          aria-valuetext={`${describe(chosen)}; ${plural(versions.length, 'version')}`}
          onKeyDown={onKey}
          onClick={chooseNearest}
        >
          <svg viewBox={`0 0 ${WIDTH} 20`} preserveAspectRatio="none" aria-hidden="true">
            <line x1="0" y1="10" x2={WIDTH} y2="10" class="track-line" />
            {places.map((place, index) =>
              index % step === 0 || index === last ? (
                <line key={index} x1={place * WIDTH} x2={place * WIDTH} y1="5" y2="15" class={versions[index]!.complete ? 'track-dot' : 'track-dot track-dot-bad'} />
              ) : null,
            )}
          </svg>
          <span class="track-chosen" style={{ left: `${(places[at] ?? 0) * 100}%` }} />
        </div>
      </div>
    </div>
  );
}
