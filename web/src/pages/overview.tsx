// What an attempt was: outcome, command, code, environment, resources.
import { CopyButton } from '../components/copy_button';
import { Diff } from '../components/diff';
import { Fact, Facts, Section } from '../components/facts';
import { NameList } from '../components/name_list';
import { Notice } from '../components/notice';
import { Progress } from '../components/progress';
import { ResourceCharts } from '../components/resource_charts';
import { Duration, isLive, StateBadge } from '../components/state';
import { Bytes, Time } from '../components/time';
import { formatCount, formatDuration, formatNumber, plural, shellCommand } from '../format';
import type { Attempt, Environment, Experiment, GitFacts, Metric } from '../types';
import type { TabProps } from './experiment';

const MOST_UNTRACKED = 200;

function Outcome({ attempt }: { attempt: Attempt }) {
  return (
    <Facts>
      <Fact name="State">
        <StateBadge status={attempt.status} />
      </Fact>
      {attempt.exit_code !== null && <Fact name="Exit code">{attempt.exit_code}</Fact>}
      {attempt.signal !== null && <Fact name="Signal">{attempt.signal}</Fact>}
      {attempt.failure !== null && <Fact name="Failure">{attempt.failure === 'script' ? 'of the script' : 'of Studio'}</Fact>}
      {attempt.reason !== null && <Fact name="Reason">{attempt.reason}</Fact>}
      <Fact name="Started">
        <Time at={attempt.started} />
      </Fact>
      <Fact name="Ended">{attempt.ended ? <Time at={attempt.ended} /> : '–'}</Fact>
      <Fact name="Duration">
        <Duration of={attempt} />
      </Fact>
    </Facts>
  );
}

function Metrics({ metrics }: { metrics: readonly Metric[] }) {
  return (
    <Facts>
      {metrics.map(({ name, goal, value, step }) => (
        <Fact key={name} name={name}>
          <span class="number" title={value === null ? undefined : String(value)}>
            {formatNumber(value)}
          </span>{' '}
          <span class="dim">{value === null ? 'not written yet' : `${goal}, at step ${formatCount(step ?? 0)}`}</span>
        </Fact>
      ))}
    </Facts>
  );
}

function Resources({ attempt: { usage, process, status } }: { attempt: Attempt }) {
  return (
    <Facts>
      {isLive(status) ? (
        <Fact name="Resources">known when it has ended</Fact>
      ) : (
        <>
          <Fact name="CPU, user">{formatDuration(usage.user_seconds)}</Fact>
          <Fact name="CPU, system">{formatDuration(usage.system_seconds)}</Fact>
          <Fact name="Peak memory">
            <Bytes count={usage.peak_memory_bytes} />
          </Fact>
        </>
      )}
      <Fact name="Host">{process.host ?? '–'}</Fact>
      <Fact name="Processes">
        {process.script_pid === null ? '' : `script ${process.script_pid}, `}studio {process.studio_pid}
      </Fact>
    </Facts>
  );
}

function Command({ experiment }: { experiment: Experiment }) {
  const command = shellCommand(experiment.command);
  return (
    <>
      <div class="command-line">
        <code>{command}</code>
        <CopyButton text={command} name="command" />
      </div>
      <div class="command-line command-directory">
        <code>{experiment.directory}</code>
        <CopyButton text={experiment.directory} name="directory" />
      </div>
    </>
  );
}

function Untracked({ files }: { files: readonly string[] }) {
  if (files.length === 0) return null;
  return (
    <details class="untracked">
      <summary>{plural(files.length, 'untracked file')}</summary>
      <ul class="plain-list mono">
        {files.slice(0, MOST_UNTRACKED).map((file) => (
          <li key={file}>{file}</li>
        ))}
        {files.length > MOST_UNTRACKED && <li class="dim">… {formatCount(files.length - MOST_UNTRACKED)} more</li>}
      </ul>
    </details>
  );
}

function Code({ git }: { git: GitFacts }) {
  return (
    <>
      <Facts>
        <Fact name="Commit">
          {git.commit === null ? (
            'none yet'
          ) : (
            <>
              <code title={git.commit}>{git.commit.slice(0, 12)}</code>
              <CopyButton text={git.commit} name="commit" />
            </>
          )}
        </Fact>
        <Fact name="Branch">{git.branch || 'detached'}</Fact>
        {git.remote && (
          <Fact name="Remote">
            <code>{git.remote}</code>
          </Fact>
        )}
        <Fact name="Changes">{git.dirty ? 'not committed' : 'none'}</Fact>
      </Facts>
      {git.diff && <Diff text={git.diff} />}
      {git.diff_truncated && (
        <Notice kind="info" title={git.diff ? 'The diff is longer; this is its beginning.' : 'The diff could not be found out.'} />
      )}
      <Untracked files={git.untracked} />
    </>
  );
}

function HostFacts({ environment: { host, gpus, python } }: { environment: Environment }) {
  return (
    <Facts>
      <Fact name="Name">{host.name || '–'}</Fact>
      <Fact name="System">{host.system || '–'}</Fact>
      <Fact name="Kernel">{[host.kernel, host.architecture].filter(Boolean).join(', ') || '–'}</Fact>
      <Fact name="CPU">
        {host.cpu_model || '–'}
        {host.cpus !== null && ` × ${host.cpus}`}
      </Fact>
      <Fact name="Memory">{host.memory_bytes === null ? '–' : <Bytes count={host.memory_bytes} />}</Fact>
      <Fact name="GPUs">
        {gpus.length === 0
          ? 'none'
          : gpus.map((gpu, index) => (
              <div key={index}>
                {gpu.name}
                {gpu.memory_bytes !== null && (
                  <>
                    , <Bytes count={gpu.memory_bytes} />
                  </>
                )}
                {gpu.driver && <span class="dim">, driver {gpu.driver}</span>}
              </div>
            ))}
      </Fact>
      <Fact name="Python">
        {python ? <span title={python.executable}>{python.version || python.executable}</span> : 'none'}
      </Fact>
    </Facts>
  );
}

export function OverviewTab({ experiment, attempt }: TabProps) {
  const { environment } = experiment;
  return (
    <div class="overview">
      <Section title="Command">
        <Command experiment={experiment} />
      </Section>
      <Progress key={attempt.number} experiment={experiment.key} attempt={attempt} />
      <div class="columns">
        <Section title="Outcome">
          <Outcome attempt={attempt} />
        </Section>
        {attempt.metrics.length > 0 && (
          <Section title="Metrics">
            <Metrics metrics={attempt.metrics} />
          </Section>
        )}
        <Section title="Resources">
          <Resources attempt={attempt} />
        </Section>
        {environment && (
          <Section title="Environment">
            <HostFacts environment={environment} />
          </Section>
        )}
      </div>
      <ResourceCharts experiment={experiment.key} attempt={attempt} />
      {environment === null && <Notice kind="info" title="What this attempt ran in is not known." />}
      {environment && (
        <Section title="Code">
          {environment.git ? <Code git={environment.git} /> : <p class="dim">Not in a git repository.</p>}
        </Section>
      )}
      {environment?.python && (
        <Section title="Packages">
          <NameList what="packages" entries={environment.python.packages} />
        </Section>
      )}
      {environment && (
        <Section title="Variables">
          <NameList what="variables" entries={environment.variables} />
        </Section>
      )}
      <p class="dim">Recorded by Studio {experiment.studio_version}.</p>
    </div>
  );
}
