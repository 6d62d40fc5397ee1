import { describe, expect, it } from 'vitest';
import type { QuotaLimits } from '@/lib/protocol/api-audit';
import type { AuditLog } from '@/server/ports/audit-log';
import type { QuotaStore } from '@/server/ports/quota-store';
import { QuotaService } from '@/server/services/quota-service';

const NONE: QuotaLimits = { maxOpenRuns: null, maxRunsPerDay: null, maxServers: null, maxStorageBytes: null };

/** Quotas over runs that are only numbers, and the clock. Counting takes a turn of the event loop. */
function setUp(limits: Partial<QuotaLimits>) {
  const world = { now: 1_000_000, open: 0, today: 0, fails: false, counts: [] as string[] };
  const count = async (what: 'open' | 'today', most: number) => {
    world.counts.push(`${what} ${most}`);
    const runs = Math.min(world[what], most);
    await new Promise((resolve) => setImmediate(resolve));
    if (world.fails) throw new Error('away');
    return runs;
  };
  const store = {
    limits: async () => ({ ...NONE, ...limits }),
    openRuns: (_organization, most) => count('open', most),
    runsToday: (_organization, most) => count('today', most),
  } as Partial<QuotaStore> as QuotaStore;
  const quotas = new QuotaService({
    store,
    audit: {} as AuditLog,
    now: () => world.now,
    countServers: async () => 0,
  });
  /** How many of so many starts at once are admitted. */
  const admitted = async (starts: number) => {
    const all = await Promise.allSettled(Array.from({ length: starts }, () => quotas.admitRun('o')));
    return all.filter(({ status }) => status === 'fulfilled').length;
  };
  return { world, quotas, admitted };
}

describe('a start that is measured by quotas', () => {
  it('is counted by what is limited, and no further than the limit', async () => {
    const { world, admitted } = setUp({ maxOpenRuns: 10 });
    world.open = 1_000_000;
    expect([await admitted(1), world.counts]).toEqual([0, ['open 10']]);
    const day = setUp({ maxRunsPerDay: 7 });
    expect([await day.admitted(1), day.world.counts]).toEqual([1, ['today 7']]);
    const free = setUp({});
    expect([await free.admitted(1), free.world.counts]).toEqual([1, []]);
  });

  it('beside others, one below the limit, is the only one that is admitted', async () => {
    const { world, admitted } = setUp({ maxOpenRuns: 10, maxRunsPerDay: 100 });
    world.open = 9;
    expect(await admitted(50)).toBe(1);
    expect(world.counts).toEqual(['open 10', 'today 100']);
  });

  it('among few runs has room as soon as one has closed', async () => {
    const { world, admitted } = setUp({ maxOpenRuns: 1 });
    for (let round = 0; round < 3; round++) {
      expect(await admitted(1)).toBe(1);
      world.open = 1;
      world.now += 1;
      expect(await admitted(1)).toBe(0);
      world.open = 0;
      world.now += 1;
    }
  });

  it('among many runs is not counted anew for two seconds, what was admitted since added', async () => {
    const { world, admitted } = setUp({ maxOpenRuns: 200_000 });
    world.open = 199_990;
    expect(await admitted(6)).toBe(6);
    world.now += 1_999;
    expect([await admitted(10), world.counts.length]).toEqual([4, 1]);
    world.open = 199_995;
    world.now += 1;
    expect([await admitted(10), world.counts.length]).toEqual([5, 2]);
  });

  it('is counted anew after a count that failed, and under a limit that was changed', async () => {
    const { world, quotas, admitted } = setUp({ maxOpenRuns: 100_000 });
    world.open = 100_000;
    world.fails = true;
    await expect(quotas.admitRun('o')).rejects.toThrow('away');
    world.fails = false;
    expect(await admitted(1)).toBe(0);
    await expect(quotas.admitRun('o')).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      details: { what: 'open runs', used: 100_000, limit: 100_000 },
    });
    expect(world.counts).toHaveLength(2);
  });
});
