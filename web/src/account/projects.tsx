// Who shares the projects that one is an admin of; an administrator shares any, and new ones.
import { useState } from 'preact/hooks';

import { put, remove } from '../api';
import { ConfirmButton } from '../components/confirm';
import { Section } from '../components/facts';
import { ErrorNotice } from '../components/notice';
import { useResource } from '../resource';
import { isAdminOf } from '../rights';
import { ROLES, type Project, type Role } from '../types';
import { useAction } from './action';

const EVERYONE = '*';
const PROJECT_NAME = '(?!\\.{1,2}$)[A-Za-z0-9._\\-]{1,100}';

function RoleBox({ role, label, onChange }: { role: Role; label?: string; onChange: (role: Role) => void }) {
  return (
    <select class="input" aria-label={label} value={role} onChange={(event) => onChange(event.currentTarget.value as Role)}>
      {ROLES.map((each) => (
        <option key={each}>{each}</option>
      ))}
    </select>
  );
}

function memberPath(project: string, member: string): string {
  return `/projects/${encodeURIComponent(project)}/members/${encodeURIComponent(member)}`;
}

type Change = (request: () => Promise<unknown>) => Promise<boolean>;

// Without a project it asks for its name.
function ShareForm({ project, isBusy, change }: { project?: string; isBusy: boolean; change: Change }) {
  const [typed, setTyped] = useState('');
  const [user, setUser] = useState('');
  const [role, setRole] = useState<Role>('reader');
  const share = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!(await change(() => put(memberPath(project ?? typed, user.trim()), { role })))) return;
    setTyped('');
    setUser('');
  };
  return (
    <form class="account-form" aria-label={`Share ${project ?? 'another project'}`} onSubmit={(event) => void share(event)}>
      {project === undefined && (
        <label class="form-field">
          Project
          <input
            class="input"
            required
            spellcheck={false}
            pattern={PROJECT_NAME}
            title="1 to 100 letters, digits, '.', '_' or '-'"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      )}
      <label class="form-field">
        User, or * for everyone
        <input class="input" required spellcheck={false} value={user} onInput={(event) => setUser(event.currentTarget.value)} />
      </label>
      <label class="form-field">
        Role
        <RoleBox role={role} onChange={setRole} />
      </label>
      <button type="submit" class="button" disabled={isBusy}>
        Share
      </button>
    </form>
  );
}

// What is changed is loaded again, also what could not be.
function useChange(onChange: () => void): { error: Error | null; isBusy: boolean; change: Change } {
  const { error, isBusy, carryOut } = useAction();
  const change: Change = async (request) => {
    const isDone = await carryOut(request);
    onChange();
    return isDone;
  };
  return { error, isBusy, change };
}

function Members({ project: { name, members }, onChange }: { project: Project; onChange: () => void }) {
  const { error, isBusy, change } = useChange(onChange);
  const path = (member: string): string => memberPath(name, member);
  return (
    <div class="account-part" role="group" aria-label={`Project ${name}`}>
      <h3>{name}</h3>
      {error && <ErrorNotice error={error} />}
      {members.length === 0 && <p class="dim">Nobody shares it: everyone may run experiments in it, and see their own.</p>}
      <ul class="members">
        {members.map((member) => (
          <li key={member.user}>
            <span class="member-name">{member.user === EVERYONE ? 'everyone (*)' : member.user}</span>
            <RoleBox
              role={member.role}
              label={`Role of ${member.user}`}
              onChange={(next) => void change(() => put(path(member.user), { role: next }))}
            />
            <ConfirmButton
              name="Remove"
              of={member.user}
              question="Take the role away?"
              onConfirm={() => void change(() => remove(path(member.user)))}
            />
          </li>
        ))}
      </ul>
      <ShareForm project={name} isBusy={isBusy} change={change} />
    </div>
  );
}

function AnotherProject({ onChange }: { onChange: () => void }) {
  const { error, isBusy, change } = useChange(onChange);
  return (
    <div class="account-part" role="group" aria-label="Another project">
      <h3>Another project</h3>
      {error && <ErrorNotice error={error} />}
      <p class="dim">It can be shared before anything has run in it.</p>
      <ShareForm isBusy={isBusy} change={change} />
    </div>
  );
}

export function Projects({ me, isServerAdmin }: { me: string; isServerAdmin: boolean }) {
  const { data, error, reload } = useResource<{ projects: Project[] }>('/projects');
  const mine = data?.projects.filter((project) => isServerAdmin || isAdminOf(project, me)) ?? [];
  if (mine.length === 0 && !error && !isServerAdmin) return null;
  return (
    <Section title="Projects">
      {error && <ErrorNotice error={error} />}
      <p class="dim">A reader sees what is in a project, a writer runs experiments in it, an admin stops and deletes them and shares it.</p>
      {mine.map((project) => (
        <Members key={project.name} project={project} onChange={reload} />
      ))}
      {isServerAdmin && <AnotherProject onChange={reload} />}
    </Section>
  );
}
