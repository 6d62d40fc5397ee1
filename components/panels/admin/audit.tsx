'use client';

import { useState } from 'react';
import { AddBar, Fault, moment } from '@/components/panels/admin/section';
import { useLoaded } from '@/components/panels/admin/use-loaded';
import { Button } from '@/components/ui/button';
import { Field } from '@/components/ui/field';
import { PlainTable } from '@/components/ui/plain-table';
import { admin } from '@/lib/client/identity';
import type { AuditVerification } from '@/lib/protocol/api-audit';

function verdict({ ok, checked, unsealed, broken }: AuditVerification): string {
  if (ok) return `✓ ${checked} entries hold; ${unsealed} are not sealed yet.`;
  return `✗ Entry ${broken?.seq} (${broken?.id ?? 'gone'}) is ${broken?.fault}.`;
}

/** Who wrote what, when, from where; and whether any of it was changed since. */
export function Audit() {
  const [action, setAction] = useState('');
  const { data, error, reload } = useLoaded(() => admin.audit(action));
  const [proof, setProof] = useState<AuditVerification | null>(null);
  return (
    <>
      <Fault error={error} />
      <AddBar label="Search the audit log" action="Search" onSend={() => void reload()}>
        <Field label="Action begins with" placeholder="secret." value={action} onText={setAction} />
        <Button onClick={() => void admin.verify().then(setProof)}>Verify the chain</Button>
        <a className="flex h-row items-center text-accent" href="/api/v1/audit/export?format=csv">
          Export CSV
        </a>
        <a className="flex h-row items-center text-accent" href="/api/v1/audit/export?format=jsonl">
          Export JSONL
        </a>
        <span role="status" className={proof?.ok === false ? 'text-danger' : 'text-ok'}>
          {proof === null ? '' : verdict(proof)}
        </span>
      </AddBar>
      <PlainTable
        label="Audit log"
        head={['Seq', 'At (UTC)', 'Who', 'Action', 'Object', 'From', 'Details']}
        empty="Nothing was written yet."
        rows={(data?.items ?? []).map((row) => ({
          key: row.id,
          cells: [
            row.seq ?? '·',
            moment(row.at),
            `${row.actorKind} ${row.actorId.slice(0, 8)}`,
            row.action,
            row.object,
            row.source ?? '—',
            <span key="details" className="text-dim">
              {JSON.stringify(row.details).slice(0, 120)}
            </span>,
          ],
        }))}
      />
    </>
  );
}
