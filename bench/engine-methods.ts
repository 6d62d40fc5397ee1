import { createEngineUnderTest, type EngineUnderTest } from '@/bench/engine-under-test';
import { type NoisyPlan, type NoisyResult, noisyTenant } from '@/bench/noisy-tenant';
import type { ChildMethods } from '@/bench/support/child-server';
import { closedLoop, inParallel, type LoadPlan, type LoadResult } from '@/bench/support/closed-loop';
import { loadOverHttp } from '@/bench/support/http';
import { round, type Spread, spread } from '@/bench/support/stats';
import type { Json } from '@/lib/shared/json';

/** Starts, or signals, under way at once when many are sent. */
const SENDING = 512;

/** Memory of the process after a collection, in bytes. */
export interface Memory {
  rss: number;
  heapUsed: number;
}

export interface OpenParams {
  databaseUrl: string;
  relay?: boolean;
  maxResidents?: number;
}

/** What the process that holds our engine can be asked. It has one engine, opened by `open` or by `recover`. */
export function engineMethods(): ChildMethods {
  let open: EngineUnderTest | null = null;
  const engine = () => {
    if (!open) throw new Error('The engine is not open.');
    return open;
  };
  let firstTask = (_runId: string) => {};
  let longCalls = 0;
  let onLongCall = () => {};

  const noise = noisyTenant();
  const functions = {
    ...noise.functions,
    mark: (_input: Json, { runId }: { runId: string }) => {
      firstTask(runId);
      return { ok: true };
    },
    long: async (_input: Json, { signal }: { signal: AbortSignal }) => {
      longCalls += 1;
      onLongCall();
      if (holdLongCalls) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { ok: true };
    },
  };
  let holdLongCalls = true;
  let waitingIds: string[] = [];
  const noop = () => engine().run('three-steps');

  return {
    async open({ databaseUrl, relay = true, ...rest }: OpenParams): Promise<void> {
      open = createEngineUnderTest({ databaseUrl, functions, relay, ...rest });
      await open.open();
    },

    load: (plan: LoadPlan): Promise<LoadResult> => closedLoop(plan, noop),

    /** As `load`, with an HTTP request a run, as a caller in another process would make it. */
    loadOverHttp: (plan: LoadPlan): Promise<LoadResult> => loadOverHttp(plan, noop),

    async relay({ on }: { on: boolean }): Promise<void> {
      if (on) engine().startRelay();
      else await engine().stopRelay();
    },

    /** Waits until every committed batch is numbered. `batches` had none yet when this was asked. */
    async drainRelay(): Promise<{ batches: number; seconds: number }> {
      const left = () => engine().count('SELECT count(*) AS n FROM event_outbox');
      const begun = performance.now();
      const batches = await left();
      while ((await left()) > 0) await pause(10);
      return { batches, seconds: round((performance.now() - begun) / 1000) };
    },

    /** Events that have a number. */
    numbered: (): Promise<number> => engine().count('SELECT sum(last_seq) AS n FROM stream_head'),

    async startWaiting({ runs }: { runs: number }) {
      const before = await memory();
      const begun = performance.now();
      waitingIds = Array.from({ length: runs }, () => engine().newRunId());
      await inParallel(runs, SENDING, (i) => engine().start('waiting', waitingIds[i] as string));
      await inboxEmpty(engine());
      const seconds = (performance.now() - begun) / 1000;
      return { seconds: round(seconds), before, after: await memory(), peakRss: peakRss() };
    },

    /** Waits until no more runs are in memory than may be. */
    async untilEvicted() {
      const { host } = engine();
      while (host.residentCount() > host.deps.maxResidents) await pause(10);
      return { residents: host.residentCount(), after: await memory(), peakRss: peakRss() };
    },

    /** Signals waiting runs, all or only those that are not in memory; the time is from the first signal to the last run closed. */
    async signalWaiting({ onlyEvicted = false }: { onlyEvicted?: boolean }) {
      const { host } = engine();
      const runIds = onlyEvicted ? waitingIds.filter((runId) => !host.residents.has(runId)) : waitingIds;
      const begun = performance.now();
      const closed = runIds.map((runId) => host.closed(runId));
      await inParallel(runIds.length, SENDING, (i) => engine().signal(runIds[i] as string, 'go'));
      const accepted = (performance.now() - begun) / 1000;
      const statuses = new Set(await Promise.all(closed));
      const seconds = (performance.now() - begun) / 1000;
      if (statuses.size !== 1 || !statuses.has('completed'))
        throw new Error(`Runs ended as ${[...statuses].join(', ')}.`);
      const runs = runIds.length;
      return { runs, acceptedSeconds: round(accepted), seconds: round(seconds), peakRss: peakRss() };
    },

    /** `runs` starts at the same time: milliseconds from asking to the first task of each. */
    async burst({ runs }: { runs: number }): Promise<Spread> {
      const asked = new Map<string, number>();
      const took: number[] = [];
      firstTask = (runId) => took.push(performance.now() - (asked.get(runId) ?? Number.NaN));
      const closed: Promise<unknown>[] = [];
      const starts = Array.from({ length: runs }, () => {
        const runId = engine().newRunId();
        closed.push(engine().host.closed(runId));
        asked.set(runId, performance.now());
        return engine().start('marked', runId);
      });
      await Promise.all(starts);
      await Promise.all(closed);
      return spread(took);
    },

    /** Resolves when `runs` runs are in the middle of a call that does not end. */
    async hang({ runs }: { runs: number }): Promise<void> {
      const inCall = new Promise<void>((resolve) => {
        onLongCall = () => longCalls === runs && resolve();
      });
      await inParallel(runs, SENDING, () => engine().start('interrupted', engine().newRunId()));
      await inCall;
    },

    /** Takes over what a killed process left: seconds from the start of the engine in this process, which is up. */
    async recover({ databaseUrl, runs }: { databaseUrl: string; runs: number }) {
      holdLongCalls = false;
      open = createEngineUnderTest({ databaseUrl, functions, relay: true });
      const { rows } = await open.pool.query<{ run_id: string }>(
        'SELECT run_id FROM workflow_run WHERE closed_at IS NULL',
      );
      if (rows.length !== runs) throw new Error(`${rows.length} runs are open, not ${runs}.`);
      const begun = performance.now();
      const since = () => round((performance.now() - begun) / 1000);
      const closed = Promise.all(rows.map(({ run_id }) => engine().host.closed(run_id)));
      let first = Number.NaN;
      const resumed = new Promise<number>((resolve) => {
        onLongCall = () => {
          if (longCalls === 1) first = since();
          if (longCalls === runs) resolve(since());
        };
      });
      await open.open();
      const all = await resumed;
      await closed;
      return { firstResumed: first, allResumed: all, allClosed: since() };
    },

    noisy: (plan: NoisyPlan): Promise<NoisyResult> => noise.measure(engine(), plan),

    async close(): Promise<void> {
      await open?.close();
    },
  };
}

async function inboxEmpty(engine: EngineUnderTest): Promise<void> {
  while ((await engine.count('SELECT count(*) AS n FROM workflow_inbox')) > 0) await pause(20);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Memory that is in use: twice collected, with a pause in which V8 gives pages back. */
async function memory(): Promise<Memory> {
  for (let i = 0; i < 2; i++) {
    (globalThis as { gc?: () => void }).gc?.();
    await pause(500);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heapUsed };
}

function peakRss(): number {
  return process.resourceUsage().maxRSS * 1024;
}
