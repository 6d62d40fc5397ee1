import { round, type Spread, spread } from '@/bench/support/stats';

/** What a closed loop is to do. */
export interface LoadPlan {
  /** Callers that each wait for one run before they ask for the next. */
  concurrency: number;
  seconds: number;
}

/** What a closed loop saw. Latencies are in milliseconds, from asking for a run until its result is known. */
export interface LoadResult extends Spread {
  runs: number;
  seconds: number;
  runsPerSecond: number;
  stepsPerSecond: number;
  /** Processor time of the calling process, engine and load together, in milliseconds a run. */
  cpuMsPerRun: number;
}

/** Steps of the workflow that every contender runs. */
export const STEPS = 3;

/**
 * Runs `one` over and over in `concurrency` loops. A loop that is in a run at the end of the time finishes it, and
 * that time counts, so no run is left out and none is cut.
 */
export async function closedLoop(plan: LoadPlan, one: () => Promise<unknown>): Promise<LoadResult> {
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const until = begun + plan.seconds * 1000;
  const loop = async () => {
    for (;;) {
      const asked = performance.now();
      if (asked >= until) return;
      await one();
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: plan.concurrency }, loop));
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const runs = latencies.length;
  return {
    runs,
    seconds: round(seconds),
    runsPerSecond: round(runs / seconds, 1),
    stepsPerSecond: round((STEPS * runs) / seconds, 1),
    ...spread(latencies),
    cpuMsPerRun: round((user + system) / 1000 / Math.max(1, runs), 3),
  };
}

/** Calls `one` for 0 … count-1, at most `width` at a time. */
export async function inParallel(
  count: number,
  width: number,
  one: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}
