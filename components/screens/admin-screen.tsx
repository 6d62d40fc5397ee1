'use client';

import { useEffect, useState } from 'react';
import { Account } from '@/components/panels/admin/account';
import { Audit } from '@/components/panels/admin/audit';
import { Directory } from '@/components/panels/admin/directory';
import { Keys } from '@/components/panels/admin/keys';
import { Members } from '@/components/panels/admin/members';
import { Quotas } from '@/components/panels/admin/quotas';
import { Roles } from '@/components/panels/admin/roles';
import { Secrets } from '@/components/panels/admin/secrets';
import { Fault } from '@/components/panels/admin/section';
import { Teams } from '@/components/panels/admin/teams';
import { useLoaded } from '@/components/panels/admin/use-loaded';
import { useUrlState } from '@/components/screens/url-state';
import { HelpSheet } from '@/components/shell/help-sheet';
import { StatusLine } from '@/components/shell/status-line';
import { TopLine } from '@/components/shell/top-line';
import { Tabs } from '@/components/ui/tabs';
import { admin } from '@/lib/client/identity';
import type { Permission } from '@/lib/protocol/permissions';

const TABS = [
  { id: 'members', label: 'Members', chord: '1', needs: 'users:read' },
  { id: 'roles', label: 'Roles', chord: '2', needs: 'users:read' },
  { id: 'keys', label: 'API keys', chord: '3', needs: 'keys:write' },
  { id: 'secrets', label: 'Secrets', chord: '4', needs: 'secrets:read' },
  { id: 'audit', label: 'Audit', chord: '5', needs: 'audit:read' },
  { id: 'quotas', label: 'Quotas', chord: '6', needs: 'organization:read' },
  { id: 'teams', label: 'Teams', chord: '7', needs: 'users:read' },
  { id: 'directory', label: 'Directory', chord: '8', needs: 'users:manage' },
] as const satisfies readonly { id: string; label: string; chord: string; needs: Permission }[];
type TabId = (typeof TABS)[number]['id'];

const HINTS = [
  ['1 … 8', 'choose a part'],
  ['Tab', 'next field'],
  ['Enter', 'send'],
] as const;

/** `/admin`: what administrators look after. Parts that one may not see are not offered. */
export function AdminScreen() {
  const { data: me, error, reload } = useLoaded(admin.me);
  const [wanted, setWanted] = useUrlState('part');
  const [help, setHelp] = useState(false);
  const tabs = TABS.filter((tab) => me?.permissions.includes(tab.needs));
  const part: TabId = tabs.find((tab) => tab.id === wanted)?.id ?? tabs[0]?.id ?? 'members';
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isTyping =
        event.target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      const tab = TABS.find((one) => one.chord === event.key);
      if (tab) setWanted(tab.id);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [setWanted]);
  return (
    <div className="flex h-full flex-col bg-bg">
      <TopLine crumbs={['ADMIN', me?.organization.name ?? '']} onHelp={() => setHelp(true)} />
      <main className="flex min-h-0 flex-1 flex-col">
        <h1 className="sr-only">OpenConductor: administration</h1>
        <Fault error={error} />
        {me === null ? null : (
          <div className="flex shrink-0 flex-wrap items-end justify-between gap-[12px] border-b border-border px-[8px] py-[6px]">
            <span className="text-text">
              {me.name} <span className="text-dim">· {me.role}</span>
            </span>
            <Account me={me} onChanged={reload} />
          </div>
        )}
        <Tabs
          label="Parts of the administration"
          tabs={tabs}
          value={part}
          onChange={setWanted}
          panelId="admin-part"
        />
        <section
          role="tabpanel"
          id="admin-part"
          aria-label={TABS.find((tab) => tab.id === part)?.label}
          className="flex min-h-0 flex-1 flex-col overflow-auto border border-border bg-panel"
          // Another organisation is another page: nothing of the last one stays.
          key={`${me?.organization.id}/${part}`}
        >
          {me === null ? null : <Part id={part} me={me} />}
        </section>
      </main>
      <StatusLine hints={HINTS} />
      <HelpSheet open={help} onClose={() => setHelp(false)} />
    </div>
  );
}

function Part({ id, me }: { id: TabId; me: NonNullable<Awaited<ReturnType<typeof admin.me>>> }) {
  switch (id) {
    case 'members':
      return <Members me={me} />;
    case 'roles':
      return <Roles me={me} />;
    case 'keys':
      return <Keys />;
    case 'secrets':
      return <Secrets />;
    case 'audit':
      return <Audit />;
    case 'quotas':
      return <Quotas me={me} />;
    case 'teams':
      return <Teams me={me} />;
    case 'directory':
      return <Directory />;
  }
}
