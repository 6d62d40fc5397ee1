'use client';

import { useState } from 'react';
import { AddBar, Fault } from '@/components/panels/admin/section';
import { useLoaded } from '@/components/panels/admin/use-loaded';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { Glyph } from '@/components/ui/glyph';
import { PlainTable } from '@/components/ui/plain-table';
import { admin } from '@/lib/client/identity';
import type { Me } from '@/lib/protocol/api-identity';

/** Every permission by role; roles of the organisation's own can be made and removed. */
export function Roles({ me }: { me: Me }) {
  const { data, error, change } = useLoaded(admin.roles);
  const [name, setName] = useState('');
  const [permissions, setPermissions] = useState('');
  const manages = me.permissions.includes('users:manage');
  const roles = data?.items ?? [];
  const add = async () => {
    if (await change(() => admin.putRole(name, permissions.split(/[\s,]+/).filter(Boolean)))) setName('');
  };
  return (
    <>
      <Fault error={error} />
      {manages ? (
        <AddBar label="Make a role" action="Save the role" onSend={() => void add()}>
          <Field label="Name" required pattern="[a-z][a-z0-9-]*" value={name} onText={setName} />
          <Field
            label="Permissions"
            required
            placeholder="workflows:read secrets:write"
            value={permissions}
            onText={setPermissions}
          />
          {roles
            .filter((role) => !role.builtIn)
            .map((role) => (
              <Button key={role.name} onClick={() => void change(() => admin.removeRole(role.name))}>
                Remove {role.name}
              </Button>
            ))}
        </AddBar>
      ) : null}
      <PlainTable
        label="Roles and permissions"
        head={['Permission', ...roles.map((role) => role.name), 'Meaning']}
        empty="Reading the roles …"
        rows={(data?.permissions ?? []).map((permission) => ({
          key: permission.name,
          cells: [
            permission.name,
            ...roles.map((role) => {
              const has = role.permissions.includes(permission.name);
              return (
                <span key={role.name} className={has ? 'text-ok' : 'text-dim'}>
                  {has ? <Glyph name="check" /> : <span aria-hidden="true">·</span>}
                  <span className="sr-only">{has ? 'yes' : 'no'}</span>
                </span>
              );
            }),
            <span key="meaning" className="text-dim">
              {permission.meaning}
            </span>,
          ],
        }))}
      />
    </>
  );
}
