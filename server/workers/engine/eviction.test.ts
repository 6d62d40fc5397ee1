import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Program } from '@/lib/engine/compile';
import type { RunState } from '@/lib/engine/types';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import type { OpenRun } from '@/server/ports/execution-store';
import { newResidentRun } from '@/server/workers/engine/resident-run';
import { sleepSome } from '@/server/workers/engine/sleep';
import { eventually } from '../../../tests/support/eventually';
import { startedEngines } from '../../../tests/support/started-engines';

const HOUR = 3_600_000;
const ROOM = 5;
const definitions: WorkflowDefinition[] = [
  { schemaVersion: 1, name: 'for-signal', nodes: [{ id: 'go', kind: 'wait', signal: 'go' }] },
  { schemaVersion: 1, name: 'for-timer', nodes: [{ id: 'pause', kind: 'wait', duration: '1h' }] },
];

describe('a run that is put to sleep', () => {
  const sleep = async (wokenUntil: number, commit: (host: { wokenUntil: number }) => void) => {
    const info = { organizationId: 'o', runId: 'r', shard: 0 } as OpenRun;
    const run = newResidentRun(info, 1, {} as Program);
    run.state = { timers: new Map([['t', { fireAt: 100_000 }]]) } as unknown as RunState;
    const residents = new Map([['r', run]]);
    const host = {
      deps: { maxResidents: 0, maxResidentBytes: 0 },
      ...{ residents, wokenUntil },
      commit: async () => {
        commit(host);
        return 'written' as const;
      },
      drop: () => void residents.clear(),
    };
    await sleepSome(host);
    return residents.size === 0;
  };

  it('stays when the time of its timer has been looked at while that was written', async () => {
    expect(await sleep(50_000, () => {})).toBe(true);
    const late = (host: { wokenUntil: number }) => {
      host.wokenUntil = 100_000;
    };
    expect(await sleep(50_000, late)).toBe(false);
  });
});

describe('waiting runs that were taken over', () => {
  const engine = startedEngines();

  it('are put to sleep when they are more than memory has room for, and wake on their timer or signal', async () => {
    let ahead = 0;
    const db = new MemoryDatabase(() => Date.now() + ahead);
    const stores = { execution: createMemoryExecutionStore(db), leases: createMemoryLeaseStore(db) };
    const common = { ...stores, organizationId: randomUUID(), definitions, leaseTtlMs: 900 };
    const first = await engine(common);
    const start = (workflow: string) =>
      Array.from({ length: (3 * ROOM) / 2 + 1 }, () => first.start(workflow));
    const forSignal = await Promise.all(start('for-signal'));
    const forTimer = await Promise.all(start('for-timer'));
    await eventually('all wait', () => [...forSignal, ...forTimer].every((runId) => db.events.has(runId)));
    await first.host.drain(0);

    const second = await engine({ ...common, maxResidents: ROOM });
    const isOver = (runId: string) => db.runs.get(runId)?.status === 'completed';
    const sleeping = (runIds: string[]) =>
      runIds.filter((runId) => (db.runs.get(runId)?.wakeAt ?? 0) > db.now() + HOUR / 2).length;
    const all = [...forSignal, ...forTimer];
    await eventually(
      'those that are too many sleep',
      () => sleeping(all) === all.length - ROOM && second.host.residentCount() === ROOM,
    );
    // The first that were loaded, of either kind.
    expect([sleeping(forSignal), sleeping(forTimer)]).not.toContain(0);
    for (const runId of forSignal)
      await second.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    await eventually('the signals wake theirs', () => forSignal.every(isOver));
    const before = forTimer.filter((runId) => (db.runs.get(runId)?.wakeAt ?? 0) > db.now());
    expect(before.length).toBeGreaterThan(0);
    // Processes steer their clocks by the database's.
    ahead = HOUR;
    await eventually('an hour later the timers wake those that sleep', () => before.every(isOver));
  });
});
