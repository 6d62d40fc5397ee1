import { compile } from '@/lib/engine/compile';
import { createRun, replay, step } from '@/lib/engine/step';
import { startedEvent } from '@/lib/engine/testing';
import type { EngineEvent, RunState } from '@/lib/engine/types';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { WorkflowNode } from '@/lib/protocol/definition-nodes';

/** Figures of the pure core: no clock, no database, one thread. Times in microseconds. */
export interface CoreBenchResult {
  node: string;
  chain10: { runs: number; stepsPerSecond: number; eventsPerRun: number; microsPerStep: number };
  fanOut2000: {
    createMs: number;
    stepsPerSecond: number;
    microsPerStep: number;
    firstTenthMicros: number;
    lastTenthMicros: number;
  };
  longHistory: { events: number; microsPerStepEarly: number; microsPerStepLate: number; ratio: number };
  replay: { events: number; eventsPerSecond: number };
  memory: { waitingRuns: number; bytesPerRun: number };
}

const activity = (id: string, input?: string): WorkflowNode => ({
  id,
  kind: 'activity',
  activity: 'noop',
  ...(input === undefined ? {} : { input }),
});

function chainOf(length: number): WorkflowDefinition {
  const nodes = Array.from({ length }, (_none, i) =>
    activity(`s${i}`, i === 0 ? '${input.n}' : `\${s${i - 1}.output.n + 1}`),
  );
  const edges = nodes.slice(1).map((node, i) => ({ from: `s${i}`, to: node.id }));
  return { schemaVersion: 1, name: 'chain', nodes, edges };
}

function fanOf(width: number): WorkflowDefinition {
  const nodes = [
    ...Array.from({ length: width }, (_none, i) => activity(`f${i}`)),
    { id: 'all', kind: 'aggregator', mode: 'list' } as WorkflowNode,
  ];
  return {
    schemaVersion: 1,
    name: 'fan',
    nodes,
    edges: nodes.slice(0, width).map((node) => ({ from: node.id, to: 'all' })),
  };
}

const completed = (activityId: string, at: number): EngineEvent => ({
  type: 'ACTIVITY_TASK_COMPLETED',
  at,
  data: { activityId, attempt: 1, output: { n: 1 }, usage: { durationMs: 1 } },
});

const micros = (ms: number, count: number): number => Number(((ms * 1000) / count).toFixed(3));
const perSecond = (ms: number, count: number): number => Math.round(count / (ms / 1000));

function benchChain(): CoreBenchResult['chain10'] {
  const definition = chainOf(10);
  const program = compile(definition);
  let eventsPerRun = 0;
  const runs = 5000;
  const round = (): number => {
    const began = performance.now();
    for (let run = 0; run < runs; run++) {
      let transition = createRun(program, startedEvent(definition, { n: 1 }, 1));
      let count = transition.events.length;
      for (let i = 0; i < 10; i++) {
        transition = step(program, transition.state, completed(`s${i}:do`, i));
        count += transition.events.length;
      }
      if (transition.state.status !== 'completed') throw new Error('The chain did not complete.');
      eventsPerRun = count;
    }
    return performance.now() - began;
  };
  round();
  const ms = Math.min(round(), round(), round());
  return {
    runs,
    stepsPerSecond: perSecond(ms, runs * 10),
    eventsPerRun,
    microsPerStep: micros(ms, runs * 10),
  };
}

function benchFanOut(): CoreBenchResult['fanOut2000'] {
  const definition = fanOf(2000);
  const program = compile(definition);
  const round = () => {
    const began = performance.now();
    let { state } = createRun(program, startedEvent(definition, {}, 1));
    const createMs = performance.now() - began;
    const tenths: number[] = [];
    for (let tenth = 0; tenth < 10; tenth++) {
      const from = performance.now();
      for (let i = tenth * 200; i < (tenth + 1) * 200; i++)
        state = step(program, state, completed(`f${i}:do`, 2)).state;
      tenths.push(performance.now() - from);
    }
    if (state.status !== 'completed') throw new Error('The fan-out did not complete.');
    return { createMs, tenths };
  };
  const rounds = Array.from({ length: 8 }, round).slice(3);
  const best = (pick: (item: (typeof rounds)[number]) => number) => Math.min(...rounds.map(pick));
  const total = best(({ tenths }) => tenths.reduce((sum, ms) => sum + ms, 0));
  return {
    createMs: Number(best((item) => item.createMs).toFixed(2)),
    stepsPerSecond: perSecond(total, 2000),
    microsPerStep: micros(total, 2000),
    firstTenthMicros: micros(
      best(({ tenths }) => tenths[0] ?? 0),
      200,
    ),
    // The last event of all joins 2,000 results; the tenth before it shows the plain cost.
    lastTenthMicros: micros(
      best(({ tenths }) => tenths[8] ?? 0),
      200,
    ),
  };
}

/** One run that goes on for 40,000 events in a while loop: a step must cost the same at its end as at its start. */
function benchLongHistory(): { long: CoreBenchResult['longHistory']; replayed: CoreBenchResult['replay'] } {
  const definition: WorkflowDefinition = {
    schemaVersion: 1,
    name: 'long',
    nodes: [
      {
        id: 'again',
        kind: 'loop',
        mode: 'while',
        while: 'true',
        maxIterations: 10_000,
        onBound: 'stop',
        body: { nodes: [activity('w')] },
      },
    ],
  };
  const program = compile(definition);
  const first = createRun(program, startedEvent(definition, {}, 1));
  const history = [...first.events];
  let state: RunState = first.state;
  const block = (from: number, count: number): number => {
    const began = performance.now();
    for (let i = from; i < from + count; i++) {
      const transition = step(program, state, completed(`again/${i}/w:do`, i));
      state = transition.state;
      for (const event of transition.events) history.push(event);
    }
    return performance.now() - began;
  };
  block(0, 1000);
  const early = Math.min(block(1000, 500), block(1500, 500));
  block(2000, 6500);
  const late = Math.min(block(8500, 500), block(9000, 500));
  const began = performance.now();
  replay(program, history);
  const replayMs = performance.now() - began;
  return {
    long: {
      events: state.historyLength,
      microsPerStepEarly: micros(early, 500),
      microsPerStepLate: micros(late, 500),
      ratio: Number((late / early).toFixed(2)),
    },
    replayed: { events: history.length, eventsPerSecond: perSecond(replayMs, history.length) },
  };
}

/** Memory of runs that wait for a signal after three steps. Exact only with node --expose-gc. */
function benchMemory(): CoreBenchResult['memory'] {
  const definition: WorkflowDefinition = {
    ...chainOf(3),
    nodes: [...chainOf(3).nodes, { id: 'wait_here', kind: 'wait', signal: 'go' }],
    edges: [...(chainOf(3).edges ?? []), { from: 's2', to: 'wait_here' }],
  };
  const program = compile(definition);
  const gc = (globalThis as { gc?: () => void }).gc ?? (() => {});
  gc();
  const before = process.memoryUsage().heapUsed;
  const kept: RunState[] = [];
  for (let run = 0; run < 20_000; run++) {
    let { state } = createRun(program, startedEvent(definition, { n: 1 }, 1, { runId: `run-${run}` }));
    for (let i = 0; i < 3; i++) state = step(program, state, completed(`s${i}:do`, i)).state;
    kept.push(state);
  }
  gc();
  return {
    waitingRuns: kept.length,
    bytesPerRun: Math.round((process.memoryUsage().heapUsed - before) / kept.length),
  };
}

/** Runs every measurement of the pure core, about five seconds. */
export async function runCoreBench(): Promise<CoreBenchResult> {
  const chain10 = benchChain();
  const fanOut2000 = benchFanOut();
  // Twice: the first time warms the code up.
  benchLongHistory();
  const { long, replayed } = benchLongHistory();
  return {
    node: process.version,
    chain10,
    fanOut2000,
    longHistory: long,
    replay: replayed,
    memory: benchMemory(),
  };
}

/** npm run bench -- core [--json]: prints the figures, on one line with --json. */
export async function benchCore(args: readonly string[]): Promise<void> {
  const result = await runCoreBench();
  console.log(args.includes('--json') ? JSON.stringify(result) : JSON.stringify(result, null, 2));
}
