import { installPeers, PEER_PACKAGES } from '@/bench/peers/install';
import { BenchChild } from '@/bench/support/child';
import type { LoadPlan, LoadResult } from '@/bench/support/closed-loop';
import { atLeast, type Scenario, type ScenarioContext, type Verdict } from '@/bench/support/scenario';
import { median, round } from '@/bench/support/stats';

/** One engine that takes part, in a process of its own. */
interface Contender {
  name: string;
  child: BenchChild;
  /** Method that makes it work: `load`, or another way in. */
  method: string;
}

/** Figures of one contender at one level, medians over the rounds. */
interface Figures {
  runsPerSecond: number;
  stepsPerSecond: number;
  p50: number;
  p99: number;
  /** Of each round, to see the spread. */
  rounds: number[];
}

const LEVELS = [1, 16, 64];
/** Connections that DBOS gets: of 10 (its default), 20 and 40 the quickest at 64 callers on two cores. */
const DBOS_POOL = 40;
/** Partitions that the tuned Restate gets: of 24 (its default), 4 and 2 the quickest on two cores. */
const RESTATE_PARTITIONS = 2;

/**
 * The same workflow in our engine, in DBOS on the same Postgres and in Restate, in turns: whatever else the machine does
 * meanwhile hits all of them. Each round begins with another, so that nobody always comes first. A ratio is the median of
 * the ratios of the rounds.
 */
export const comparePeers: Scenario = async (context) => {
  const skipped: Record<string, string> = {};
  const contenders: Contender[] = [];
  const join = async (name: string, open: () => Promise<BenchChild>, method = 'load') => {
    try {
      contenders.push({ name, child: await open(), method });
    } catch (error) {
      skipped[name] = error instanceof Error ? error.message : String(error);
    }
  };
  const { cluster, quick } = context;
  const ours = new BenchChild('ours');
  await ours.call('open', { databaseUrl: await cluster.ourDatabase('beside_peers') });
  contenders.push({ name: 'ours', child: ours, method: 'load' });
  contenders.push({ name: 'oursOverHttp', child: ours, method: 'loadOverHttp' });
  try {
    installPeers();
    await join('dbos', async () => {
      const databaseUrl = await cluster.emptyDatabase('dbos');
      return opened('dbos', { databaseUrl, poolSize: DBOS_POOL });
    });
    await join('restate', () => opened('restate', {}));
    await join('restateTuned', () => opened('restate', { partitions: RESTATE_PARTITIONS }));
  } catch (error) {
    skipped.all = error instanceof Error ? error.message : String(error);
  }

  for (const one of contenders) await load(one, { concurrency: 16, seconds: quick ? 1 : 3 });
  const levels: Record<string, Record<string, Figures>> = {};
  const ratios: Record<string, Record<string, number>> = {};
  for (const concurrency of LEVELS) {
    const results = await rounds(contenders, concurrency, context);
    levels[concurrency] = Object.fromEntries([...results].map(([name, list]) => [name, figures(list)]));
    ratios[concurrency] = {
      ...ratio(results, 'ours', 'dbos'),
      ...ratio(results, 'ours', 'restate'),
      ...ratio(results, 'ours', 'restateTuned'),
      // Restate is reached over HTTP only: the same way in for both.
      ...ratio(results, 'oursOverHttp', 'restate'),
      ...ratio(results, 'oursOverHttp', 'restateTuned'),
    };
  }
  for (const child of new Set(contenders.map((one) => one.child))) await child.end();
  return { versions: PEER_PACKAGES, skipped, levels, ratios, verdicts: verdicts(ratios['64'] ?? {}) };
};

async function opened(role: string, params: object): Promise<BenchChild> {
  const child = new BenchChild(role);
  try {
    await child.call('open', params);
    return child;
  } catch (error) {
    await child.end();
    throw error;
  }
}

function load({ child, method }: Contender, plan: LoadPlan): Promise<LoadResult> {
  return child.call<LoadResult>(method, plan);
}

async function rounds(
  contenders: readonly Contender[],
  concurrency: number,
  { cluster, quick }: ScenarioContext,
) {
  const results = new Map<string, LoadResult[]>(contenders.map(({ name }) => [name, []]));
  for (let i = 0; i < (quick ? 1 : 5); i++) {
    const first = i % contenders.length;
    for (const one of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      await cluster.settle();
      const result = await load(one, { concurrency, seconds: quick ? 1 : 3 });
      results.get(one.name)?.push(result);
    }
  }
  return results;
}

function figures(list: readonly LoadResult[]): Figures {
  const middle = (pick: (one: LoadResult) => number) => median(list.map(pick));
  return {
    runsPerSecond: middle((one) => one.runsPerSecond),
    stepsPerSecond: middle((one) => one.stepsPerSecond),
    p50: middle((one) => one.p50),
    p99: middle((one) => one.p99),
    rounds: list.map((one) => one.runsPerSecond),
  };
}

function ratio(results: ReadonlyMap<string, readonly LoadResult[]>, of: string, to: string) {
  const mine = results.get(of) ?? [];
  const theirs = results.get(to);
  if (!theirs) return {};
  const each = mine.map((one, i) => one.runsPerSecond / (theirs[i]?.runsPerSecond ?? Number.NaN));
  return { [`${of}/${to}`]: round(median(each)) };
}

function verdicts(at64: Record<string, number>): Verdict[] {
  const verdict = (pair: string, budget: number): Verdict[] => {
    const value = at64[pair];
    return value === undefined ? [] : [atLeast(`${pair} in steps a second, 64 callers`, value, budget)];
  };
  return [...verdict('ours/dbos', 5), ...verdict('ours/restate', 4), ...verdict('ours/restateTuned', 4)];
}
