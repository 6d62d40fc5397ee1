import { describe, expect, it } from 'vitest';
import { CRASH_POINTS } from '@/server/workers/engine/crash-points';
import { ALL_FAULTS, runFaults } from '../faults/harness';
import { runOutage } from '../faults/outage';

/** The short form of `npm run faults`: real processes, a real Postgres, a real tool server, and faults. */
describe('runs under faults', () => {
  it('every law holds while processes and Postgres are struck at random', { timeout: 300_000 }, async () => {
    const result = await runFaults({
      // 25 in calm, where every call must be made exactly once, then the others under faults.
      programs: 65,
      seed: 1,
      minutes: 2,
      // A poison run takes half a dozen processes with it: that is for the long form, and for the engine's own tests. A
      // process stopped between the check of its leases and the first byte of a call makes that call when it wakes
      // (docs/failure-semantics.md): the one repetition that cannot be ruled out is not for a test that must be green.
      only: ALL_FAULTS.filter((fault) => fault !== 'poison' && !fault.startsWith('SIGSTOP')),
      engines: 2,
      roundSize: 40,
      everyCrashPoint: true,
      spreadMs: 6_000,
      leastFaults: 5,
      say: () => undefined,
    });
    expect(result.violations, result.timelines.join('\n')).toEqual([]);
    expect(result.complete).toBe(true);
    expect(result.calls).toBeGreaterThan(80);
    const struck = new Set(result.struck.filter((entry) => entry.struck).map((entry) => entry.fault));
    // Another fault may end the process that is to die at the rarest place until no run passes it any more.
    const missed = CRASH_POINTS.filter((point) => !struck.has(`crash:${point}`));
    expect(missed.length, `not struck: ${missed.join()}`).toBeLessThan(2);
    expect(struck.size).toBeGreaterThan(CRASH_POINTS.length + 1);
  });

  it('Postgres away under load: nothing acknowledged is lost, health is truthful', {
    timeout: 300_000,
  }, async () => {
    const result = await runOutage({ outageMs: 6_000, engines: 2, programs: 30, say: () => undefined });
    expect(result.violations).toEqual([]);
    expect(result.runs).toBeGreaterThanOrEqual(30);
    expect(result.readings).toBeGreaterThan(10);
  });
});
