// What can be compared of experiments.
import { formatBytes, formatDuration, formatNumber, shellCommand } from '../format';
import { outcome } from '../components/state';
import type { Artifact, Environment, Experiment } from '../types';
import type { CompareRow } from './table';

type Facts = Map<string, string>;

// All names that any of them has, in the order they come in.
export function rowsOf(facts: readonly Facts[]): CompareRow[] {
  const names = new Set(facts.flatMap((each) => [...each.keys()]));
  return [...names].map((name) => ({ name, values: facts.map((each) => each.get(name) ?? null) }));
}

export function parameters(experiment: Experiment): Facts {
  return new Map(experiment.parameters.map(({ name, value }) => [name, value]));
}

export function summary(experiment: Experiment): Facts {
  return new Map([
    ['state', experiment.status],
    ['outcome', outcome(experiment) || '–'],
    ['duration', experiment.duration_seconds === null ? '–' : formatDuration(experiment.duration_seconds)],
    ['project', experiment.project],
    ['owner', experiment.owner],
    ['attempts', String(experiment.attempts)],
    ['directory', experiment.directory],
    ['command', shellCommand(experiment.command)],
  ]);
}

export function metrics(experiment: Experiment): Facts {
  return new Map(
    experiment.metrics.map(({ name, goal, value, step }) => [
      `${name} (${goal})`,
      value === null ? '–' : `${formatNumber(value)} at step ${step}`,
    ]),
  );
}

export function code({ environment }: Experiment): Facts {
  const git = environment?.git;
  if (!git) return new Map();
  return new Map([
    ['commit', git.commit ?? 'none yet'],
    ['branch', git.branch || 'detached'],
    ['remote', git.remote],
    ['uncommitted changes', git.dirty ? `yes, ${git.diff.split('\n').length - 1} lines of diff` : 'none'],
  ]);
}

export function environmentFacts(environment: Environment | null): Facts {
  const facts: Facts = new Map();
  if (!environment) return facts;
  const { host, gpus, python, variables } = environment;
  facts.set('host', host.name);
  facts.set('system', host.system);
  facts.set('kernel', host.kernel);
  facts.set('architecture', host.architecture);
  facts.set('CPU', host.cpu_model + (host.cpus === null ? '' : ` × ${host.cpus}`));
  if (host.memory_bytes !== null) facts.set('memory', formatBytes(host.memory_bytes));
  facts.set('GPUs', gpus.map((gpu) => gpu.name).join(', ') || 'none');
  facts.set('python', python?.version ?? 'none');
  for (const [name, version] of Object.entries(python?.packages ?? {})) facts.set(`package ${name}`, version);
  for (const [name, value] of Object.entries(variables)) facts.set(`$${name}`, value);
  return facts;
}

export function artifactSizes(artifacts: readonly Artifact[]): Facts {
  return new Map(
    artifacts.map(({ tag, bytes, versions }) => [
      tag,
      bytes === null ? '–' : `${formatBytes(bytes)}, ${versions} ${versions === 1 ? 'version' : 'versions'}`,
    ]),
  );
}
