import { expect, it } from 'vitest';
import type { RunState } from '@/lib/engine/types';
import type { OpenRun } from '@/server/ports/execution-store';
import { sleepPart } from '@/server/workers/engine/parts';
import { newResidentRun } from '@/server/workers/engine/resident-run';

it('a run whose recorded timer lies beyond all that a database can hold sleeps until the end of the year 9999', () => {
  const fireAt = 17_280_000_000_000_000;
  const run = newResidentRun({ status: 'running' } as OpenRun, 1, {} as never);
  run.state = {
    timers: new Map([['w:wait', { timerId: 'w:wait', purpose: 'wait', fireAt }]]),
  } as unknown as RunState;
  expect(sleepPart(run, 0)?.update?.wakeAt).toBe(Date.parse('9999-12-31T23:59:59.999Z'));
});
