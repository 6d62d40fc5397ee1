import { describe, expect, it } from 'vitest';
import type { RunActivity } from '@/lib/engine/commands';
import type { Clock } from '@/lib/shared/clock';
import { MemoryMcpFleet } from '@/server/adapters/memory/mcp-fleet';
import type { ActivityFunction } from '@/server/ports/activity';
import { runAttempt } from '@/server/workers/engine/activities';
import { CallAbort } from '@/server/workers/engine/call-abort';

/** A clock that stands still until it is moved, and knows its timers. */
class HandClock implements Clock {
  private time = 1_000;
  readonly timers = new Set<{ at: number; fire: () => void }>();

  now(): number {
    return this.time;
  }

  at(at: number, fire: () => void): () => void {
    const timer = { at, fire };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  move(ms: number): void {
    this.time += ms;
    for (const timer of [...this.timers]) {
      if (timer.at > this.time) continue;
      this.timers.delete(timer);
      timer.fire();
    }
  }
}

function call(run: ActivityFunction) {
  const clock = new HandClock();
  const abort = new CallAbort();
  const deps = {
    fleet: new MemoryMcpFleet('o', {}, clock),
    functions: new Map([['f', run]]),
    clock,
    telemetry: { taskExecuted: () => {} } as never,
  };
  const command: RunActivity = {
    type: 'RUN_ACTIVITY',
    target: { kind: 'function', name: 'f' },
    input: { x: 1 },
    timeoutMs: 500,
    nodePath: 'n',
    attempt: 1,
    idempotencyKey: 'k',
    activityId: 'n:do',
    nodeId: 'n',
  };
  const scope = { organizationId: 'o', runId: 'r', abort };
  return { clock, abort, outcome: runAttempt(deps, scope, command) };
}

const forever = () => new Promise<never>(() => {});

describe('a call of a function', () => {
  it('that is over when it returns sets no timer', async () => {
    const { clock, outcome } = call((input) => ({ got: input }));
    expect(clock.timers.size).toBe(0);
    expect(await outcome).toMatchObject({ kind: 'completed', output: { got: { x: 1 } } });
  });

  it('ends at its time limit, and its signal says so', async () => {
    let signal: AbortSignal | undefined;
    const { clock, outcome } = call((_input, context) => {
      signal = context.signal;
      return forever();
    });
    clock.move(499);
    expect(signal?.aborted).toBe(false);
    clock.move(1);
    expect(signal?.aborted).toBe(true);
    expect(await outcome).toMatchObject({ kind: 'failed', ambiguous: true, failure: { code: 'TIMEOUT' } });
    expect(clock.timers.size).toBe(0);
  });

  it('ends when it is cancelled although it does not listen', async () => {
    const { clock, abort, outcome } = call(forever);
    abort.abort('cancelled');
    expect(await outcome).toMatchObject({ kind: 'failed', failure: { code: 'CANCELLED' } });
    expect(clock.timers.size).toBe(0);
  });

  it('leaves no timer behind, whether it ends well or not', async () => {
    const well = call(async () => 'done');
    expect(await well.outcome).toMatchObject({ kind: 'completed', output: 'done' });
    const badly = call(async () => {
      throw new Error('no');
    });
    expect(await badly.outcome).toMatchObject({ kind: 'failed', failure: { code: 'ACTIVITY_FAILED' } });
    expect([well.clock.timers.size, badly.clock.timers.size]).toEqual([0, 0]);
  });
});
