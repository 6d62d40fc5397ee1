import { describe, expect, it } from 'vitest';
import type { RunActivity } from '@/lib/engine/commands';
import type { Clock } from '@/lib/shared/clock';
import type { Json } from '@/lib/shared/json';
import { MemoryMcpFleet } from '@/server/adapters/memory/mcp-fleet';
import type { ActivityFunction } from '@/server/ports/activity';
import { runAttempt, toolOutput } from '@/server/workers/engine/activities';
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

  it('fails when what it gives is nested deeper than anything can write', async () => {
    let deep: Json = 1;
    for (let i = 0; i < 50_000; i++) deep = [deep];
    const { outcome } = call(() => deep);
    expect(await outcome).toMatchObject({
      kind: 'failed',
      failure: {
        code: 'ACTIVITY_FAILED',
        message: 'The activity gave data nested more than 200 levels deep.',
      },
    });
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

describe('the result of a tool', () => {
  const result = (text: string) =>
    toolOutput({
      isError: false,
      content: [{ type: 'text', text }],
      structuredContent: null,
      durationMs: 1,
      bytesIn: text.length,
      bytesOut: 0,
    });

  it('has no json where its text is nested deeper than anything can write', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(result(nested(200)).json).toBeDefined();
    for (const levels of [201, 5_000, 50_000]) {
      const output = result(nested(levels));
      expect(output.json).toBeUndefined();
      expect(JSON.stringify(output)).toContain('[[[');
    }
  });
});
