import { describe, expect, it } from 'vitest';
import type { Actor } from '@/lib/protocol/actor';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import type { Sharing } from '@/server/ports/sharing-store';
import { AccessService } from '@/server/services/access-service';

const ORGANIZATION = '00000000-0000-0000-0000-000000000001';
const actor = (id: string, facts: Partial<Actor> = {}): Actor => ({
  kind: 'user',
  id,
  organizationId: ORGANIZATION,
  role: 'operator',
  displayName: id,
  ...facts,
});
const sharing = (object: string, facts: Partial<Sharing> = {}): Sharing => ({
  kind: 'workflow',
  object,
  restricted: true,
  creator: null,
  shares: [],
  version: 1,
  ...facts,
});

function service(rows: Sharing[]) {
  let now = 1_000;
  const asked = { all: 0, teams: 0 };
  const clock = { now: () => now, at: () => () => {} };
  const access = new AccessService({
    store: {
      all: async () => {
        asked.all += 1;
        return [...rows];
      },
      creatorOf: async () => undefined,
      workflowOf: async () => null,
    },
    teamsOf: async () => {
      asked.teams += 1;
      return ['ops'];
    },
    member: async (_organization, id) => (id === 'gone' ? null : actor(id)),
    bus: createMemoryBus(),
    clock,
  });
  return { access, asked, pass: (ms: number) => (now += ms) };
}

describe('who reaches what', () => {
  it('costs an organisation without restrictions one read in two seconds, and no other', async () => {
    const { access, asked, pass } = service([]);
    for (let i = 0; i < 50; i++) expect(await access.of(actor('ann'))).toBeNull();
    expect(asked).toEqual({ all: 1, teams: 0 });
    pass(2_000);
    await access.of(actor('ann'));
    expect(asked).toEqual({ all: 2, teams: 0 });
  });

  it('holds from the next question on, once a change is told', async () => {
    const rows: Sharing[] = [];
    const { access } = service(rows);
    expect(await access.hiddenWorkflows(actor('ann'))).toEqual([]);
    rows.push(sharing('secret'));
    access.changed(ORGANIZATION);
    expect(await access.hiddenWorkflows(actor('ann'))).toEqual(['secret']);
    expect(await access.hiddenWorkflows(actor('ada', { role: 'admin' }))).toEqual([]);
  });

  it('asks for teams only where something is shared with one, and takes the strongest share', async () => {
    const ops = { subject: { kind: 'team', id: 'ops' }, level: 'write' } as const;
    const all = { subject: { kind: 'everyone', id: '' }, level: 'read' } as const;
    const { access, asked } = service([sharing('secret', { shares: [ops, all] })]);
    const mine = await access.of(actor('vera', { role: 'viewer' }));
    expect(mine?.level({ kind: 'workflow', id: 'secret' })).toBe('write');
    expect(asked.teams).toBe(1);
  });

  it('knows what whoever set something up has lost: the creator nothing, who has left everything', async () => {
    const { access } = service([
      sharing('secret', { creator: 'carl' }),
      sharing('open', { restricted: false }),
    ]);
    expect(await access.lostBy(ORGANIZATION, 'carl', 'workflows:execute')).toEqual([]);
    expect(await access.lostBy(ORGANIZATION, 'otto', 'workflows:execute')).toEqual(['secret']);
    expect(await access.lostBy(ORGANIZATION, 'gone', 'workflows:execute')).toEqual(['secret']);
  });

  it('lets a creator share as long as they may write, and gives them nothing else', async () => {
    const { access } = service([sharing('secret', { creator: 'carl' })]);
    const ref = { kind: 'workflow', id: 'secret' } as const;
    const maker = actor('carl', { permissions: ['workflows:read', 'workflows:write'] });
    expect(await access.may(maker, 'workflows:share', ref)).toBe(true);
    expect(await access.may(maker, 'workflows:execute', ref)).toBe(false);
    expect(await access.may(actor('carl', { role: 'viewer' }), 'workflows:share', ref)).toBe(false);
  });
});
