// Who shares the projects that one is an admin of.
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

function RoleBox({ role, label, onChange }: { role: Role; label?: string; onChange: (role: Role) => void }) {
  return (
    <select class="input" aria-label={label} value={role} onChange={(event) => onChange(event.currentTarget.value as Role)}>
      {ROLES.map((each) => (
        <option key={each}>{each}</option>
      ))}
    </select>
  );
}

function Members({ project: { name, members }, onChange }: { project: Project; onChange: () => void }) {
  const [user, setUser] = useState('');
  const [role, setRole] = useState<Role>('reader');
  const { error, isBusy, carryOut } = useAction();
  const path = (member: string): string => `/projects/${encodeURIComponent(name)}/members/${encodeURIComponent(member)}`;
  const change = async (request: () => Promise<unknown>): Promise<boolean> => {
    const isDone = await carryOut(request);
    onChange();
    return isDone;
  };
  const share = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (await change(() => put(path(user.trim()), { role }))) setUser('');
  };
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
      <form class="account-form" aria-label={`Share ${name}`} onSubmit={(event) => void share(event)}>
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
    </div>
  );
}

export function Projects({ me, isServerAdmin }: { me: string; isServerAdmin: boolean }) {
  const { data, error, reload } = useResource<{ projects: Project[] }>('/projects');
  const mine = data?.projects.filter((project) => isServerAdmin || isAdminOf(project, me)) ?? [];
  if (mine.length === 0 && !error) return null;
  return (
    <Section title="Projects">
      {error && <ErrorNotice error={error} />}
      <p class="dim">A reader sees what is in a project, a writer runs experiments in it, an admin stops and deletes them and shares it.</p>
      {mine.map((project) => (
        <Members key={project.name} project={project} onChange={reload} />
      ))}
    </Section>
  );
}
