'use client';

import { useState } from 'react';
import { AddBar, Fault, moment } from '@/components/panels/admin/section';
import { useLoaded } from '@/components/panels/admin/use-loaded';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { PlainTable } from '@/components/ui/plain-table';
import { copyText } from '@/lib/client/clipboard';
import { admin } from '@/lib/client/identity';

/** API keys with their use. A new one is shown once. */
export function Keys() {
  const { data, error, change } = useLoaded(admin.keys);
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState('');
  const [days, setDays] = useState('90');
  const [made, setMade] = useState<string | null>(null);
  const create = () =>
    change(async () => {
      const list = scopes.split(/[\s,]+/).filter(Boolean);
      const limits = {
        ...(list.length > 0 ? { scopes: list } : {}),
        ...(days === '' ? {} : { days: Number(days) }),
      };
      const { key } = await admin.createKey({ name, ...limits });
      setMade(key);
      setName('');
    });
  return (
    <>
      <Fault error={error} />
      <AddBar label="Make an API key" action="Make a key" onSend={() => void create()}>
        <Field label="Name" required value={name} onText={setName} />
        <Field label="Limited to" placeholder="everything I may" value={scopes} onText={setScopes} />
        <Field label="Days" type="number" min={1} max={3650} value={days} onText={setDays} />
      </AddBar>
      {made === null ? null : (
        <p role="status" className="m-0 flex items-center gap-[8px] border-b border-border p-[8px] text-warn">
          Copy it now, it is shown this once: <code className="text-text">{made}</code>
          <Button onClick={() => void copyText(made, 'API key')}>Copy</Button>
          <Button onClick={() => setMade(null)}>Done</Button>
        </p>
      )}
      <PlainTable
        label="API keys"
        head={['Key', 'Name', 'Of', 'Limited to', 'Uses', 'Last used', 'Runs out', 'Actions']}
        empty="No API keys."
        rows={(data?.items ?? []).map((row) => ({
          key: row.id,
          cells: [
            `${row.start}…`,
            row.name,
            row.userName,
            row.scopes?.join(' ') ?? 'everything its owner may',
            row.uses.toLocaleString('en-GB'),
            moment(row.lastUsedAt),
            moment(row.expiresAt),
            <Button
              key="end"
              aria-label={`End the key ${row.name}`}
              onClick={() => void change(() => admin.removeKey(row.id))}
            >
              End
            </Button>,
          ],
        }))}
      />
    </>
  );
}
