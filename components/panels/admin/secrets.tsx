'use client';

import { useState } from 'react';
import { AddBar, Fault, moment } from '@/components/panels/admin/section';
import { useLoaded } from '@/components/panels/admin/use-loaded';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { PlainTable } from '@/components/ui/plain-table';
import { admin } from '@/lib/client/identity';

/** Names of secrets; values go in and never come out. */
export function Secrets() {
  const { data, error, change } = useLoaded(admin.secrets);
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const set = async () => {
    if (await change(() => admin.setSecret(name, value))) {
      setName('');
      setValue('');
    }
  };
  return (
    <>
      <Fault error={error} />
      <AddBar label="Set a secret" action="Set" onSend={() => void set()}>
        <Field label="Name" required value={name} onText={setName} />
        <Field label="Value" type="password" autoComplete="off" required value={value} onText={setValue} />
      </AddBar>
      <PlainTable
        label="Secrets"
        head={['Name', 'Set', 'By', 'Actions']}
        empty="No secrets. Servers refer to one as ${secret:NAME}."
        rows={(data?.items ?? []).map((row) => ({
          key: row.name,
          cells: [
            row.name,
            moment(row.updatedAt),
            row.updatedBy,
            <Button
              key="remove"
              aria-label={`Remove ${row.name}`}
              onClick={() => void change(() => admin.removeSecret(row.name))}
            >
              Remove
            </Button>,
          ],
        }))}
      />
    </>
  );
}
