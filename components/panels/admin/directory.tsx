'use client';

import { useState } from 'react';
import { AddBar, Fault, moment } from '@/components/panels/admin/section';
import { useLoaded } from '@/components/panels/admin/use-loaded';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { PlainTable } from '@/components/ui/plain-table';
import { copyText } from '@/lib/client/clipboard';
import { admin } from '@/lib/client/identity';

/** Tokens with which directories (Okta, Entra ID, …) keep members and teams over SCIM 2.0. A new one is shown once. */
export function Directory() {
  const { data, error, change } = useLoaded(admin.scimTokens);
  const [name, setName] = useState('');
  const [days, setDays] = useState('');
  const [made, setMade] = useState<string | null>(null);
  const url = data?.url ?? '';
  const create = () =>
    change(async () => {
      const { token } = await admin.createScimToken(name, days === '' ? null : Number(days));
      setMade(token);
      setName('');
    });
  return (
    <>
      <Fault error={error} />
      <p className="m-0 flex flex-wrap items-center gap-[8px] border-b border-border p-[8px] text-dim">
        Directories (Okta, Entra ID) are told this address: <code className="text-text">{url}</code>
        <Button aria-label="Copy the address" onClick={() => void copyText(url, 'SCIM address')}>
          Copy
        </Button>
      </p>
      <AddBar label="Make a token for a directory" action="Make a token" onSend={() => void create()}>
        <Field label="Name" required maxLength={80} value={name} onText={setName} />
        <Field
          label="Days"
          type="number"
          min={1}
          max={3650}
          placeholder="for ever"
          value={days}
          onText={setDays}
        />
      </AddBar>
      {made === null ? null : (
        <p role="status" className="m-0 flex items-center gap-[8px] border-b border-border p-[8px] text-warn">
          Copy it now, it is shown this once: <code className="text-text">{made}</code>
          <Button onClick={() => void copyText(made, 'SCIM token')}>Copy</Button>
          <Button onClick={() => setMade(null)}>Done</Button>
        </p>
      )}
      <PlainTable
        label="Tokens of directories"
        head={['Token', 'Name', 'Made by', 'Made', 'Last used', 'Runs out', 'Actions']}
        empty={data === null ? 'Reading the tokens …' : 'No directory is connected.'}
        rows={(data?.items ?? []).map((row) => ({
          key: row.id,
          cells: [
            `${row.start}…`,
            row.name,
            row.createdBy ?? '—',
            moment(row.createdAt),
            moment(row.lastUsedAt),
            moment(row.expiresAt),
            <Button
              key="end"
              aria-label={`End the token ${row.name}`}
              onClick={() => void change(() => admin.removeScimToken(row.id))}
            >
              End
            </Button>,
          ],
        }))}
      />
    </>
  );
}
