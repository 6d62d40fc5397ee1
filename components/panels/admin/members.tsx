'use client';

import { useState } from 'react';
import { AddBar, Fault, moment } from '@/components/panels/admin/section';
import { useLoaded } from '@/components/panels/admin/use-loaded';
import { Button } from '@/components/ui/button';
import { Choice, Field } from '@/components/ui/field';
import { PlainTable } from '@/components/ui/plain-table';
import { copyText } from '@/lib/client/clipboard';
import { admin } from '@/lib/client/identity';
import type { Me } from '@/lib/protocol/api-identity';

const BUILT_IN = ['viewer', 'operator', 'admin', 'owner'];

/** Members with their roles, and invitations. */
export function Members({ me }: { me: Me }) {
  const manages = me.permissions.includes('users:manage');
  const { data, error, change } = useLoaded(async () => {
    const [members, roles, invitations] = await Promise.all([
      admin.members(),
      admin.roles(),
      manages ? admin.invitations() : { items: [] },
    ]);
    return { members: members.items, roles: roles.items, invitations: invitations.items };
  });
  const [email, setEmail] = useState('');
  const [role, setRole] = useState('viewer');
  const names = data?.roles.map((one) => one.name) ?? BUILT_IN;
  const invite = async () => {
    if (await change(() => admin.invite(email, role))) setEmail('');
  };
  return (
    <>
      <Fault error={error} />
      {manages ? (
        <AddBar label="Invite a member" action="Invite" onSend={() => void invite()}>
          <Field label="E-mail" type="email" required value={email} onText={setEmail} />
          <Choice label="Role" value={role} values={names} onText={setRole} />
        </AddBar>
      ) : null}
      <PlainTable
        label="Members"
        head={['Name', 'E-mail', 'Role', 'Joined', 'Last seen', 'Actions']}
        empty="Reading the members …"
        rows={(data?.members ?? []).map((member) => ({
          key: member.userId,
          cells: [
            member.name,
            member.email,
            <Choice
              key="role"
              bare
              label={`Role of ${member.name}`}
              value={member.role}
              values={names.includes(member.role) ? names : [member.role, ...names]}
              disabled={!manages}
              onText={(next) => void change(() => admin.setRole(member.userId, next))}
            />,
            moment(member.joinedAt),
            moment(member.lastSeenAt),
            manages && member.userId !== me.id ? (
              <Button
                key="remove"
                aria-label={`Remove ${member.name}`}
                onClick={() => void change(() => admin.removeMember(member.userId))}
              >
                Remove
              </Button>
            ) : (
              '—'
            ),
          ],
        }))}
      />
      {manages ? (
        <PlainTable
          label="Invitations"
          head={['Invited', 'As', 'State', 'Until', 'Link']}
          empty="No invitations."
          rows={(data?.invitations ?? []).map((row) => ({
            key: row.id,
            cells: [
              row.email,
              row.role,
              row.status,
              moment(row.expiresAt),
              row.url === null ? (
                '—'
              ) : (
                <span key="link" className="flex gap-[6px]">
                  <Button
                    aria-label={`Copy the link for ${row.email}`}
                    onClick={() => void copyText(row.url ?? '', 'Invitation link')}
                  >
                    Copy link
                  </Button>
                  <Button
                    aria-label={`Withdraw the invitation of ${row.email}`}
                    onClick={() => void change(() => admin.withdraw(row.id))}
                  >
                    Withdraw
                  </Button>
                </span>
              ),
            ],
          }))}
        />
      ) : null}
    </>
  );
}
