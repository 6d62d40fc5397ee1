'use client';

import { useState } from 'react';
import { AddBar, Fault } from '@/components/panels/admin/section';
import { useLoaded } from '@/components/panels/admin/use-loaded';
import { Field } from '@/components/ui/field';
import { PlainTable } from '@/components/ui/plain-table';
import { admin } from '@/lib/client/identity';
import type { QuotaLimits } from '@/lib/protocol/api-audit';
import type { Me } from '@/lib/protocol/api-identity';

const LINES = [
  ['maxOpenRuns', 'openRuns', 'Open runs'],
  ['maxRunsPerDay', 'runsToday', 'Runs today'],
  ['maxServers', 'servers', 'Servers'],
  ['maxStorageBytes', 'storageBytes', 'Bytes of history'],
] as const;

/** How much the organisation may use, and uses. */
export function Quotas({ me }: { me: Me }) {
  const { data, error, change } = useLoaded(admin.quotas);
  const [typed, setTyped] = useState<Partial<Record<keyof QuotaLimits, string>>>({});
  const save = () => {
    if (data === null) return;
    const limits = { ...data.limits };
    for (const [name, text] of Object.entries(typed))
      limits[name as keyof QuotaLimits] = text === '' ? null : Number(text);
    void change(() => admin.setQuotas(limits)).then((done) => done && setTyped({}));
  };
  return (
    <>
      <Fault error={error} />
      {me.permissions.includes('organization:manage') && data !== null ? (
        <AddBar label="Set the quotas" action="Save" onSend={save}>
          {LINES.map(([limit, , name]) => (
            <Field
              key={limit}
              label={`Most: ${name.toLowerCase()}`}
              type="number"
              min={0}
              placeholder="no limit"
              value={typed[limit] ?? String(data.limits[limit] ?? '')}
              onText={(text) => setTyped((all) => ({ ...all, [limit]: text }))}
            />
          ))}
        </AddBar>
      ) : null}
      <PlainTable
        label="Quotas"
        head={['What', 'Used', 'Limit', 'Share']}
        empty="Reading the quotas …"
        rows={
          data === null
            ? []
            : LINES.map(([limit, used, name]) => {
                const most = data.limits[limit];
                const now = data.usage[used];
                const share = most === null || most === 0 ? null : now / most;
                return {
                  key: limit,
                  cells: [
                    name,
                    now.toLocaleString('en-GB'),
                    most === null ? 'none' : most.toLocaleString('en-GB'),
                    <span key="share" className={share !== null && share >= 0.9 ? 'text-warn' : 'text-dim'}>
                      {share === null ? '—' : `${Math.round(share * 100)} %`}
                    </span>,
                  ],
                };
              })
        }
      />
    </>
  );
}
