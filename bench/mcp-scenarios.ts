import { type McpBench, STEPS } from '@/bench/mcp-setup';
import { median, round, type Spread, spread } from '@/bench/support/stats';

/** Milliseconds a call, bare and as a step. */
export interface SerialResult {
  calls: number;
  bare: Spread;
  durable: Spread;
  /** A step that calls a function of the process which does nothing: what durability alone costs now. */
  noop: Spread;
  /** What durability adds to a call, of the middle call. */
  addedP50: number;
}

/** One at a time: a run of STEPS calls, then as many bare calls, and so on in turns. */
export async function serialCalls(
  bench: McpBench,
  plan: { rounds: number; workflow: 'safe' | 'unsafe'; ms: number },
): Promise<SerialResult> {
  const bare: number[] = [];
  const durable: number[] = [];
  const noop: number[] = [];
  for (let turn = 0; turn < plan.rounds; turn++) {
    const asked = performance.now();
    await bench.run('noop', 0);
    noop.push((performance.now() - asked) / STEPS);
    const begun = performance.now();
    await bench.run(plan.workflow, plan.ms);
    // Start and end of the run are borne by its steps.
    durable.push((performance.now() - begun) / STEPS);
    for (let call = 0; call < STEPS; call++) {
      const asked = performance.now();
      await bench.bare('stdio', plan.ms);
      bare.push(performance.now() - asked);
    }
  }
  const both = { bare: spread(bare, 3), durable: spread(durable, 3), noop: spread(noop, 3) };
  return { calls: plan.rounds * STEPS, ...both, addedP50: round(both.durable.p50 - both.bare.p50, 3) };
}

/** Calls a second and milliseconds of this process's CPU a call. */
interface Turn {
  callsPerSecond: number;
  cpuMs: number;
}

export interface ConcurrentResult {
  bare: Turn;
  durable: Turn;
  addedCpuMs: number;
}

/** Many at once, in turns: so many lanes of bare calls, then so many lanes of runs. Servers have processes of their own. */
export async function concurrentCalls(
  bench: McpBench,
  plan: { concurrency: number; rounds: number; seconds: number; over: 'stdio' | 'http' },
): Promise<ConcurrentResult> {
  const bare: Turn[] = [];
  const durable: Turn[] = [];
  const workflow = plan.over === 'stdio' ? 'safe' : 'remote';
  for (let turn = 0; turn < plan.rounds; turn++) {
    bare.push(await lanes(plan, 1, () => bench.bare(plan.over, 0)));
    durable.push(await lanes(plan, STEPS, () => bench.run(workflow, 0)));
  }
  const middle = (turns: Turn[]): Turn => ({
    callsPerSecond: median(turns.map((one) => one.callsPerSecond)),
    cpuMs: round(median(turns.map((one) => one.cpuMs)), 3),
  });
  const both = { bare: middle(bare), durable: middle(durable) };
  return { ...both, addedCpuMs: round(both.durable.cpuMs - both.bare.cpuMs, 3) };
}

async function lanes(
  { concurrency, seconds }: { concurrency: number; seconds: number },
  callsEach: number,
  one: () => Promise<void>,
): Promise<Turn> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const until = begun + seconds * 1000;
  let done = 0;
  const lane = async () => {
    while (performance.now() < until) {
      await one();
      done += callsEach;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const took = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { callsPerSecond: round(done / took, 1), cpuMs: (user + system) / 1000 / done };
}
