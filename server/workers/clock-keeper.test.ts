import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '@/server/adapters/system-clock';
import { ClockKeeper } from '@/server/workers/clock-keeper';
import { eventually } from '../../tests/support/eventually';

const nothing = () => {};

describe('ClockKeeper', () => {
  const keepers: ClockKeeper[] = [];
  afterEach(() => {
    for (const keeper of keepers.splice(0)) keeper.stop();
  });

  const setUp = (read: () => Promise<number>) => {
    const clock = new SystemClock(-300_000);
    const warnings: unknown[] = [];
    const warn = (_event: string, facts: unknown) => warnings.push(facts);
    const log = { debug: nothing, info: nothing, warn, error: nothing, with: () => log };
    const keeper = new ClockKeeper({ clock, read, log, everyMs: 5 });
    keepers.push(keeper);
    const error = () => Math.abs(clock.now() - Date.now());
    return { keeper, warnings, error };
  };

  it('a clock that is five minutes wrong is right before the process serves', async () => {
    const { keeper, error } = setUp(async () => Date.now());
    expect(error()).toBeGreaterThan(299_000);
    await keeper.steer();
    expect(error()).toBeLessThan(1_000);
  });

  it('a clock that goes wrong later is steered again, also after the database was away', async () => {
    let ahead = 60_000;
    let reads = 0;
    const { keeper, warnings, error } = setUp(async () => {
      if (reads++ === 1) throw new Error('away');
      return Date.now() + ahead;
    });
    await keeper.steer();
    expect(error()).toBeGreaterThan(59_000);
    ahead = 0;
    keeper.start();
    await eventually('it is right again', () => error() < 1_000);
    expect(warnings).toEqual([{ status: 'failed', error: 'Error: away' }]);
  });

  it('a process that cannot ask for the time does not start', async () => {
    const { keeper } = setUp(() => Promise.reject(new Error('away')));
    await expect(keeper.steer()).rejects.toThrow('away');
  });
});
