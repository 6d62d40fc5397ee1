'use client';

import { useState } from 'react';
import { AddBar, Fault } from '@/components/panels/admin/section';
import { useLoaded } from '@/components/panels/admin/use-loaded';
import { Button } from '@/components/ui/button';
import { Choice, Field } from '@/components/ui/field';
import { PlainTable } from '@/components/ui/plain-table';
import { admin } from '@/lib/client/identity';
import type { Me } from '@/lib/protocol/api-identity';

/** Teams, who is in them, and what changes that. Those of the directory are changed there. */
export function Teams({ me }: { me: Me }) {
  const manages = me.permissions.includes('users:manage');
  const { data, error, change } = useLoaded(async () => {
    const [teams, members] = await Promise.all([admin.teams(), admin.members()]);
    return { teams: teams.items, members: members.items };
  });
  const [name, setName] = useState('');
  const [team, setTeam] = useState('');
  const [email, setEmail] = useState('');
  const [newName, setNewName] = useState('');
  const teams = data?.teams ?? [];
  const members = data?.members ?? [];
  const own = teams.filter((one) => !one.fromDirectory);
  const chosen = own.find((one) => one.name === team) ?? own[0];
  const candidate = members.find((one) => one.email === email) ?? members[0];
  const create = async () => {
    if (await change(() => admin.createTeam(name))) setName('');
  };
  const add = () =>
    chosen && candidate ? change(() => admin.addToTeam(chosen.id, candidate.userId)) : Promise.resolve(false);
  const rename = async () => {
    if (chosen && (await change(() => admin.renameTeam(chosen.id, newName)))) {
      setTeam(newName);
      setNewName('');
    }
  };
  const choice = (
    <Choice label="Team" value={chosen?.name ?? ''} values={own.map((one) => one.name)} onText={setTeam} />
  );
  return (
    <>
      <Fault error={error} />
      {manages ? (
        <AddBar label="Make a team" action="Make a team" onSend={() => void create()}>
          <Field label="Name of the team" required maxLength={80} value={name} onText={setName} />
        </AddBar>
      ) : null}
      {manages && own.length > 0 ? (
        <>
          <AddBar label="Put somebody into a team" action="Add to the team" onSend={() => void add()}>
            {choice}
            <Choice
              label="Member"
              value={candidate?.email ?? ''}
              values={members.map((one) => one.email)}
              onText={setEmail}
            />
          </AddBar>
          <AddBar label="Rename a team" action="Rename" onSend={() => void rename()}>
            {choice}
            <Field label="New name" required maxLength={80} value={newName} onText={setNewName} />
          </AddBar>
        </>
      ) : null}
      <PlainTable
        label="Teams"
        head={['Team', 'Kept by', 'Members', 'Actions']}
        empty={data === null ? 'Reading the teams …' : 'No teams.'}
        rows={teams.map((one) => ({
          key: one.id,
          cells: [
            one.name,
            one.fromDirectory ? 'the directory' : 'people here',
            <ul key="members" className="m-0 flex list-none flex-wrap gap-[6px] p-0">
              {one.members.map((member) => (
                <li key={member.userId} className="flex items-center gap-[4px]">
                  {member.email}
                  {manages && !one.fromDirectory ? (
                    <Button
                      aria-label={`Take ${member.email} out of ${one.name}`}
                      onClick={() => void change(() => admin.removeFromTeam(one.id, member.userId))}
                    >
                      Out
                    </Button>
                  ) : null}
                </li>
              ))}
              {one.members.length === 0 ? <li className="text-dim">nobody</li> : null}
            </ul>,
            manages && !one.fromDirectory ? (
              <Button
                key="delete"
                aria-label={`Delete the team ${one.name}`}
                onClick={() => void change(() => admin.removeTeam(one.id))}
              >
                Delete
              </Button>
            ) : (
              '—'
            ),
          ],
        }))}
      />
    </>
  );
}
