import { NAP, WAITING } from '@/bench/engine-definitions';
import { createEngineUnderTest, type EngineUnderTest } from '@/bench/engine-under-test';
import type { ChildMethods } from '@/bench/support/child-server';
import { inParallel } from '@/bench/support/closed-loop';
import { round, spread } from '@/bench/support/stats';
import type { RunStatus } from '@/lib/protocol/run';

export interface SoakPlan {
  runs: number;
  concurrency: number;
  /** A reading is taken after each so many runs. */
  every: number;
}

/** What was seen at one moment, and of the runs since the one before. Bytes, milliseconds, rows. */
export interface SoakReading {
  runs: number;
  seconds: number;
  runsPerSecond: number;
  p50: number;
  p95: number;
  heapBytes: number;
  rssBytes: number;
  inboxDead: number;
  inboxBytes: number;
  outboxDead: number;
  outboxBytes: number;
  runDead: number;
  runBytes: number;
  shardDead: number;
  shardBytes: number;
  /** Runs that wait for their signal. */
  waiting: number;
}

/** How long a run waits before it is signalled. */
const WAIT_MS = 3_000;

/** What the soaked process can be asked. */
export function soakMethods(): ChildMethods {
  let open: EngineUnderTest | null = null;
  const engine = () => {
    if (!open) throw new Error('The engine is not open.');
    return open;
  };
  return {
    async open({ databaseUrl }: { databaseUrl: string }): Promise<void> {
      open = createEngineUnderTest({ databaseUrl, relay: true, definitions: [NAP] });
      await open.open();
    },

    soak: (plan: SoakPlan): Promise<SoakReading[]> => soak(engine(), plan),

    async close(): Promise<void> {
      await open?.close();
    },
  };
}

/**
 * Of ten runs eight are three steps, one waits for a signal, one for a timer. A caller does not stay with a run that waits for
 * a signal: it goes on with others, and the signal is sent a few seconds later.
 */
async function soak(engine: EngineUnderTest, { runs, concurrency, every }: SoakPlan): Promise<SoakReading[]> {
  const readings: SoakReading[] = [];
  const begun = performance.now();
  let took: number[] = [];
  let done = 0;
  let last = begun;
  let reading: Promise<void> = Promise.resolve();
  const waiting = new Set<Promise<void>>();
  await inParallel(runs, concurrency, async (i) => {
    const asked = performance.now();
    if (i % 10 === 3) {
      const runId = engine.newRunId();
      const closed = engine.host.closed(runId);
      await engine.start(WAITING.name, runId);
      const waits: Promise<void> = signalLater(engine, runId, closed).finally(() => waiting.delete(waits));
      waiting.add(waits);
    } else if (i % 10 === 7) {
      await engine.run(NAP.name);
    } else {
      await engine.run('three-steps');
      took.push(performance.now() - asked);
    }
    done += 1;
    if (done % every !== 0) return;
    const now = performance.now();
    const { p50, p95 } = spread(took);
    const facts = {
      runs: done,
      seconds: round((now - begun) / 1000),
      runsPerSecond: round((every * 1000) / (now - last), 1),
      p50,
      p95,
      waiting: waiting.size,
    };
    took = [];
    last = now;
    reading = reading.then(async () => {
      readings.push({ ...facts, ...memory(), ...(await tables(engine)) });
    });
  });
  await reading;
  await Promise.all(waiting);
  return readings;
}

async function signalLater(
  engine: EngineUnderTest,
  runId: string,
  closed: Promise<RunStatus>,
): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  await engine.signal(runId, 'go');
  const status = await closed;
  if (status !== 'completed') throw new Error(`A run that waited for its signal ended as ${status}.`);
}

/** Memory in use after a collection. */
function memory(): Pick<SoakReading, 'heapBytes' | 'rssBytes'> {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, rssBytes: rss };
}

async function tables(engine: EngineUnderTest) {
  const { rows } = await engine.pool.query<{ name: string; dead: string; bytes: string }>(
    `SELECT relname AS name, n_dead_tup AS dead, pg_total_relation_size(relid) AS bytes FROM pg_stat_user_tables
     WHERE relname IN ('workflow_inbox', 'event_outbox', 'workflow_run', 'workflow_shard')`,
  );
  const of = (name: string) => {
    const row = rows.find((one) => one.name === name);
    return { dead: Number(row?.dead), bytes: Number(row?.bytes) };
  };
  const [inbox, outbox, run, shard] = [
    of('workflow_inbox'),
    of('event_outbox'),
    of('workflow_run'),
    of('workflow_shard'),
  ];
  return {
    inboxDead: inbox.dead,
    inboxBytes: inbox.bytes,
    outboxDead: outbox.dead,
    outboxBytes: outbox.bytes,
    runDead: run.dead,
    runBytes: run.bytes,
    shardDead: shard.dead,
    shardBytes: shard.bytes,
  };
}
