// The documents of the API (doc/openapi.yaml, doc/cli.md).

// Each may do what those before it may.
export const SCOPES = ['read', 'work', 'write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Token {
  id: string;
  user: string;
  scope: Scope;
  note: string;
  created: string;
  expires: string | null;
  // A browser's.
  is_session: boolean;
}

// Told once.
export interface NewToken {
  id: string;
  token: string;
}

export interface User {
  name: string;
  is_admin: boolean;
  created: string;
}

export const ROLES = ['reader', 'writer', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface Project {
  name: string;
  // The user "*" is everyone.
  members: { user: string; role: Role }[];
}

export const STATUSES = ['starting', 'running', 'finished', 'failed', 'killed', 'stopped', 'lost'] as const;
export type Status = (typeof STATUSES)[number];

export interface Metric {
  name: string;
  goal: 'min' | 'max' | 'last';
  // Null before it was written.
  value: number | null;
  step: number | null;
}

// What the command gives the script.
export interface Parameter {
  name: string;
  value: string;
}

export interface ParameterName {
  name: string;
  // Not all experiments that the list shows have the same value of it.
  differs: boolean;
}

export interface Run {
  key: string;
  project: string;
  owner: string;
  status: Status;
  failure: string | null;
  exit_code: number | null;
  signal: string | null;
  reason: string | null;
  attempt: number;
  attempts: number;
  command: string[];
  parameters: Parameter[];
  directory: string;
  created: string;
  // When it was deleted; null if it is not.
  deleted: string | null;
  started: string;
  ended: string | null;
  duration_seconds: number | null;
  metrics: Metric[];
}

export interface RunList {
  runs: Run[];
  total: number;
  sequence: number;
  // Names of the metrics that the listed experiments have, the most frequent first.
  metrics: string[];
  // Those of their parameters, the ones that differ first.
  parameters: ParameterName[];
  // Records that cannot be read; of an administrator's list.
  problems: { experiment: string; problem: string; hint: string | null }[];
}

export interface AttemptArtifact {
  tag: string;
  path: string;
  mode: 'capture' | 'once' | 'reuse';
  default: boolean;
  source: string | null;
  first_version: string | null;
  last_version: string | null;
}

export interface Attempt {
  number: number;
  status: Status;
  failure: string | null;
  exit_code: number | null;
  signal: string | null;
  reason: string | null;
  started: string;
  ended: string | null;
  duration_seconds: number | null;
  process: { host: string | null; studio_pid: number; script_pid: number | null };
  usage: { user_seconds: number; system_seconds: number; peak_memory_bytes: number };
  metrics: Metric[];
  artifacts: AttemptArtifact[];
}

export interface Reuse {
  tag: string;
  version: string;
  by: { experiment: string; attempt: number; tag: string; status: Status };
}

export interface ReuseList {
  reuses: Reuse[];
  // With those that are not listed.
  total: number;
}

export interface GitFacts {
  commit: string | null;
  branch: string;
  remote: string;
  dirty: boolean;
  diff: string;
  diff_truncated: boolean;
  untracked: string[];
}

export interface Environment {
  variables: Record<string, string>;
  python: { executable: string; version: string; packages: Record<string, string> } | null;
  git: GitFacts | null;
  host: {
    name: string;
    system: string;
    kernel: string;
    architecture: string;
    cpu_model: string;
    cpus: number | null;
    memory_bytes: number | null;
  };
  gpus: { name: string; memory_bytes: number | null; driver: string }[];
}

export interface Experiment extends Run {
  studio_version: string;
  history: Attempt[];
  environment: Environment | null;
}

export interface Artifact {
  tag: string;
  mode: string;
  path: string;
  kind: 'directory' | 'file' | null;
  versions: number;
  latest: string | null;
  files: number | null;
  bytes: number | null;
  stored_bytes: number;
  complete: boolean | null;
}

export interface Version {
  version: string;
  number: number;
  created: string;
  attempt: number;
  reason: string;
  digest: string;
  files: number;
  bytes: number;
  changes: { added: number; modified: number; removed: number };
  new_bytes: number;
  stored_bytes: number;
  complete: boolean;
  problems: { path: string; problem: string }[];
}

export interface TreeEntry {
  name: string;
  path: string;
  type: 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'char-device' | 'block-device';
  mode: string;
  size: number | null;
  modified: string;
  target: string | null;
  name_hex?: string;
  files?: number;
  bytes?: number;
  problem: string | null;
}

export interface Tree {
  path: string;
  entries: TreeEntry[];
  next: string | null;
}

// From the sample before up to `seconds` after the start of the script.
export interface ResourceSample {
  seconds: number;
  cpu_percent: number;
  memory_bytes: number;
  gpu_percent: number | null;
  gpu_memory_bytes: number | null;
}

export interface ResourceSamples {
  samples: ResourceSample[];
}

export interface ScalarSeries {
  run: string;
  tag: string;
  points: number;
  first_step: number;
  last_step: number;
  last_value: number | null;
  min: number | null;
  max: number | null;
}

export interface ScalarIndex {
  version: string | null;
  series: ScalarSeries[];
  problems: string[];
}

// step, wall time in seconds, then the least, greatest and last value of those that the point stands for
export type ScalarPoint = [number, number, number | null, number | null, number | null];

export interface ScalarPoints {
  run: string;
  tag: string;
  points: ScalarPoint[];
}

export type SummaryKind = 'histogram' | 'image' | 'text';

export interface SummarySeries {
  kind: SummaryKind;
  run: string;
  tag: string;
  points: number;
  first_step: number;
  last_step: number;
}

export interface HyperparameterRun {
  run: string;
  values: Record<string, number | boolean | string>;
  group: string | null;
  // Seconds since 1970.
  started: number | null;
  ended: number | null;
  status: string | null;
  // There are more or longer values.
  cut: boolean;
}

export interface SummaryIndex {
  version: string | null;
  series: SummarySeries[];
  hyperparameters: HyperparameterRun[];
  problems: string[];
}

// step, wall time in seconds, and how many images, buckets or texts there are
export type SummaryPoint = [number, number, number];

export interface SummaryPoints {
  run: string;
  tag: string;
  points: SummaryPoint[];
}

export interface HistogramPoint {
  step: number;
  wall_time: number;
  // In each equal part of the range, the least first.
  counts: number[];
  // From the least to the greatest value; the median is in the middle.
  quantiles: number[];
}

export interface Histograms {
  run: string;
  tag: string;
  least: number;
  greatest: number;
  points: HistogramPoint[];
}

export interface SummaryTexts {
  run: string;
  tag: string;
  step: number;
  wall_time: number;
  texts: string[];
  // They go on.
  cut: boolean;
}

export interface TensorBoard {
  id: string;
  url: string;
  state: 'starting' | 'running' | 'failed' | 'ended';
  failure: string | null;
  // The last that it wrote.
  output: string;
}

export interface Checkpoint {
  artifact: string;
  version: string;
  path: string;
  format: string;
  bytes: number;
  modified: string;
  step: number | null;
  epoch: number | null;
  tensors: number;
  parameters: number;
  types: Record<string, number>;
  incomplete: string | null;
  dangerous: string[];
  problem: string | null;
}

export interface CheckpointList {
  // The oldest first.
  checkpoints: Checkpoint[];
  // There may be more than are listed.
  cut: boolean;
}

export interface Tensor {
  name: string;
  // Empty if neither it nor the shape is told.
  type: string;
  shape: number[];
  bytes: number;
  // The one beside it that holds the data.
  file: string | null;
}

export interface CheckpointFacts {
  format: string;
  tensors: Tensor[];
  metadata: Record<string, string>;
  dangerous: string[];
  incomplete: string | null;
}

export interface StorageStats {
  logical_bytes: number;
  unique_bytes: number;
  stored_bytes: number;
  packs: number;
  chunks: number;
  versions: number;
  artifacts: {
    experiment: string;
    tag: string;
    versions: number;
    logical_bytes: number;
    new_bytes: number;
    stored_bytes: number;
  }[];
}
