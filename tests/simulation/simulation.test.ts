import { describe, expect, it } from 'vitest';
import { Random } from '@/tests/simulation/random';
import { runSeed } from '@/tests/simulation/run-seed';

/** The short form of the simulation: fixed seeds that cover every kind, and fresh ones each time. The long form: npm run simulate. */
describe('simulation', () => {
  it('600 fixed seeds keep every law and cover every kind and ending', () => {
    const kinds = new Set<string>();
    const endings = new Set<string>();
    for (let seed = 1; seed <= 600; seed++) {
      const result = runSeed(seed);
      endings.add(result.status);
      for (const kind of result.kinds) kinds.add(kind);
    }
    expect([...kinds].sort()).toEqual(
      [
        'activity',
        'aggregator',
        'approval',
        'condition',
        'loop',
        'mcp-server',
        'parallel',
        'sequential',
        'subworkflow',
        'terminate',
        'transform',
        'wait',
      ].sort(),
    );
    expect([...endings].sort()).toEqual([
      'cancelled',
      'completed',
      'continued_as_new',
      'failed',
      'terminated',
      'timed_out',
    ]);
  });

  it('400 fresh seeds keep every law', () => {
    const base = Number(process.env.SIMULATION_SEED ?? Date.now() % 1_000_000_000);
    console.log(
      `simulation: fresh seeds ${base} to ${base + 399} (npm run simulate -- --from ${base} --seeds 400)`,
    );
    for (let seed = base; seed < base + 400; seed++) {
      try {
        runSeed(seed);
      } catch (error) {
        throw new Error(
          `seed ${seed}: ${error instanceof Error ? error.message : String(error)} (npm run simulate -- --seed ${seed})`,
          { cause: error },
        );
      }
    }
  });

  it('the same seed gives the same numbers', () => {
    const [a, b] = [new Random(7), new Random(7)];
    expect(Array.from({ length: 100 }, () => a.next())).toEqual(Array.from({ length: 100 }, () => b.next()));
    expect(runSeed(11)).toEqual(runSeed(11));
  });
});
