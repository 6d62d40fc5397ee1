import type { Memory, OpenParams } from '@/bench/engine-methods';
import { frontDoor } from '@/bench/front-door';
import type { NoisyPlan, NoisyResult } from '@/bench/noisy-tenant';
import { comparePeers } from '@/bench/peers/compare';
import { BenchChild } from '@/bench/support/child';
import type { LoadPlan, LoadResult } from '@/bench/support/closed-loop';
import { atLeast, below, type Scenario, type ScenarioContext } from '@/bench/support/scenario';
import { median, round, type Spread } from '@/bench/support/stats';

const WARM_UP: LoadPlan = { concurrency: 16, seconds: 3 };

/** A process with our engine on a fresh database. */
async function ourEngine(
  { cluster, profile }: ScenarioContext,
  name: string,
  options: Omit<OpenParams, 'databaseUrl'> = {},
): Promise<BenchChild> {
  const child = new BenchChild('ours', profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []);
  await child.call('open', { databaseUrl: await cluster.ourDatabase(name), ...options });
  return child;
}

const serial: Scenario = async (context) => {
  const { quick } = context;
  const child = await ourEngine(context, 'serial');
  await child.call('load', { ...WARM_UP, seconds: quick ? 1 : WARM_UP.seconds });
  const result = await child.call<LoadResult>('load', { concurrency: 1, seconds: quick ? 3 : 15 });
  await child.end();
  return { ...result, verdicts: [below('p50 ms of a 3-step run, one at a time', result.p50, 4)] };
};

const concurrent: Scenario = async (context) => {
  const { cluster, quick } = context;
  const child = await ourEngine(context, 'concurrent');
  await child.call('load', { ...WARM_UP, seconds: quick ? 1 : WARM_UP.seconds });
  const levels: Record<string, LoadResult & { postgresCpuMsPerRun: number }> = {};
  for (const concurrency of [16, 64, 256]) {
    const cpu = cluster.cpuSeconds();
    const result = await child.call<LoadResult>('load', { concurrency, seconds: quick ? 2 : 10 });
    const postgresCpuMsPerRun = round(((cluster.cpuSeconds() - cpu) * 1000) / result.runs, 3);
    levels[concurrency] = { ...result, postgresCpuMsPerRun };
  }
  await child.end();
  const best = Math.max(...Object.values(levels).map((level) => level.runsPerSecond));
  return { levels, verdicts: [atLeast('3-step runs a second, best of 16, 64 and 256 callers', best, 1_700)] };
};

const mib = (bytes: number) => round(bytes / 2 ** 20, 1);

/** Starts `runs` runs that wait for a signal; the figures say what they take up. */
async function fillWithWaiting(child: BenchChild, runs: number) {
  type Filled = { seconds: number; before: Memory; after: Memory; peakRss: number };
  const { seconds, before, after, peakRss } = await child.call<Filled>('startWaiting', { runs });
  return { startedPerSecond: round(runs / seconds, 1), before, after, peakRss };
}

interface Signalled {
  runs: number;
  acceptedSeconds: number;
  seconds: number;
  peakRss: number;
}

const waiting: Scenario = async (context) => {
  const { quick } = context;
  const runs = quick ? 10_000 : 100_000;
  const child = await ourEngine(context, 'waiting');
  const { startedPerSecond, before, after, peakRss } = await fillWithWaiting(child, runs);
  const signalled = await child.call<Signalled>('signalWaiting');
  await child.end();
  const rssMiB = mib(after.rss);
  const resumedPerSecond = round(runs / signalled.seconds, 1);
  return {
    runs,
    startedPerSecond,
    rssMiB,
    rssMiBBefore: mib(before.rss),
    rssBytesPerRun: Math.round((after.rss - before.rss) / runs),
    heapBytesPerRun: Math.round((after.heapUsed - before.heapUsed) / runs),
    peakRssMiBStarting: mib(peakRss),
    peakRssMiB: mib(signalled.peakRss),
    signalsAcceptedPerSecond: round(runs / signalled.acceptedSeconds, 1),
    resumedPerSecond,
    verdicts: [
      below(`MiB resident with ${runs} waiting runs`, rssMiB, 1024),
      atLeast('waiting runs resumed and closed a second', resumedPerSecond, 1_000),
    ],
  };
};

/** As `waiting`, with room in memory for a fifth of the runs: the others are read back when their signal comes. */
const evicted: Scenario = async (context) => {
  const { quick } = context;
  const runs = quick ? 10_000 : 100_000;
  const maxResidents = runs / 5;
  const child = await ourEngine(context, 'evicted', { maxResidents });
  const { startedPerSecond, before } = await fillWithWaiting(child, runs);
  type Evicted = { residents: number; after: Memory; peakRss: number };
  const { residents, after, peakRss } = await child.call<Evicted>('untilEvicted');
  const signalled = await child.call<Signalled>('signalWaiting', { onlyEvicted: true });
  await child.end();
  const readBackPerSecond = round(signalled.runs / signalled.seconds, 1);
  return {
    runs,
    maxResidents,
    startedPerSecond,
    residents,
    rssMiB: mib(after.rss),
    rssMiBBefore: mib(before.rss),
    peakRssMiBStarting: mib(peakRss),
    signalled: signalled.runs,
    signalsAcceptedPerSecond: round(signalled.runs / signalled.acceptedSeconds, 1),
    readBackPerSecond,
    peakRssMiB: mib(signalled.peakRss),
    verdicts: [
      atLeast('waiting runs that were not in memory', signalled.runs, runs - maxResidents),
      atLeast('evicted runs read back and closed a second', readBackPerSecond, 1_000),
    ],
  };
};

const startLatency: Scenario = async (context) => {
  const { quick } = context;
  const runs = 1_000;
  const child = await ourEngine(context, 'start_latency');
  const cold = await child.call<Spread>('burst', { runs });
  const bursts: Spread[] = [];
  for (let i = 0; i < (quick ? 3 : 15); i++) bursts.push(await child.call('burst', { runs }));
  await child.end();
  const middle = (pick: (burst: Spread) => number) => median(bursts.map(pick));
  const worst = Math.max(cold.p99, ...bursts.map((burst) => burst.p99));
  return {
    concurrentStarts: runs,
    bursts: bursts.length,
    firstBurst: cold,
    p50: middle((burst) => burst.p50),
    p99: middle((burst) => burst.p99),
    worstP99: worst,
    verdicts: [below('p99 ms from start to first task, worst of all bursts', worst, 1_000)],
  };
};

const recovery: Scenario = async ({ cluster, quick }) => {
  const runs = 1_000;
  const rounds: { afterKill: number; firstResumed: number; allResumed: number; allClosed: number }[] = [];
  for (let i = 0; i < (quick ? 1 : 3); i++) {
    const databaseUrl = await cluster.ourDatabase(`recovery_${i}`);
    const victim = new BenchChild('ours');
    await victim.call('open', { databaseUrl });
    await victim.call('hang', { runs });
    await victim.kill();
    const killed = performance.now();
    const replacement = new BenchChild('ours');
    type Recovered = { firstResumed: number; allResumed: number; allClosed: number };
    const recovered = await replacement.call<Recovered>('recover', { databaseUrl, runs });
    const afterKill = round((performance.now() - killed) / 1000);
    await replacement.end();
    rounds.push({ ...recovered, afterKill });
  }
  const worst = Math.max(...rounds.map((one) => one.allResumed));
  return {
    runs,
    rounds,
    verdicts: [below('seconds from the replacement being up until all are resumed', worst, 5)],
  };
};

const noisyTenant: Scenario = async (context) => {
  const { quick } = context;
  const plan: NoisyPlan = { runs: quick ? 2_000 : 50_000, seconds: quick ? 2 : 10 };
  const child = await ourEngine(context, 'noisy');
  await child.call('load', { ...WARM_UP, seconds: 1 });
  const result = await child.call<NoisyResult>('noisy', plan);
  await child.end();
  const factor = round(result.beside.p95 / result.alone.p95);
  return {
    queuedRuns: plan.runs,
    ...result,
    factor,
    verdicts: [
      below('times the p95 of a quiet tenant grows beside a noisy one', factor, 2),
      // A backlog that was worked off meanwhile would say nothing.
      atLeast('runs of the noisy tenant that waited all the while', result.backlog.least, plan.runs / 2),
    ],
  };
};

const relay: Scenario = async (context) => {
  const { cluster, quick } = context;
  const child = await ourEngine(context, 'relay', { relay: false });
  await child.call('load', { ...WARM_UP, seconds: quick ? 1 : WARM_UP.seconds });
  await cluster.execute('relay', 'TRUNCATE event_outbox');
  const off: LoadResult[] = [];
  const on: (LoadResult & { batchesLeft: number; drainSeconds: number; eventsPerSecond: number })[] = [];
  for (let i = 0; i < (quick ? 1 : 4); i++) {
    const plan = { concurrency: 64, seconds: quick ? 2 : 5 };
    off.push(await child.call<LoadResult>('load', plan));
    // What piled up without a relay is not its work now.
    await cluster.execute('relay', 'TRUNCATE event_outbox');
    const before = await child.call<number>('numbered');
    await child.call('relay', { on: true });
    const loaded = await child.call<LoadResult>('load', plan);
    const drained = await child.call<{ batches: number; seconds: number }>('drainRelay');
    await child.call('relay', { on: false });
    const events = (await child.call<number>('numbered')) - before;
    const eventsPerSecond = round(events / (loaded.seconds + drained.seconds));
    on.push({ ...loaded, batchesLeft: drained.batches, drainSeconds: drained.seconds, eventsPerSecond });
  }
  await child.end();
  const without = median(off.map((one) => one.runsPerSecond));
  const beside = median(on.map((one) => one.runsPerSecond));
  return {
    concurrency: 64,
    runsPerSecondWithout: without,
    runsPerSecondWith: beside,
    eventsNumberedPerSecond: median(on.map((one) => one.eventsPerSecond)),
    costPercent: round((1 - beside / without) * 100, 1),
    batchesLeftAtEnd: median(on.map((one) => one.batchesLeft)),
    drainSeconds: median(on.map((one) => one.drainSeconds)),
    verdicts: [],
  };
};

/** In the order in which they run. `peers` is only run when asked for. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  serial,
  concurrent,
  peers: comparePeers,
  waiting,
  evicted,
  'start-latency': startLatency,
  recovery,
  'noisy-tenant': noisyTenant,
  relay,
  'front-door': frontDoor,
};
