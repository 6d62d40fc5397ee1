import type { Masker } from '@/lib/engine/mask';
import { maskEvent, maskFailureOf, maskNodeView } from '@/lib/engine/mask-events';
import { runUsage, workflowMetrics } from '@/lib/engine/metrics';
import { toTemporalHistory } from '@/lib/engine/temporal-history';
import { toTimeline } from '@/lib/engine/timeline';
import { toNodeView, toNodeViews } from '@/lib/engine/views';
import type { Actor } from '@/lib/protocol/actor';
import type { RunRecord } from '@/lib/protocol/api-runs';
import { AppError } from '@/lib/protocol/errors';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import { DEFAULT_PRIORITY, type NodeView, type RunSummary } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';
import type { RunRow } from '@/server/ports/run-queries';
import type { RunMasks } from '@/server/services/run-masks';
import type { RunService } from '@/server/services/run-service';
import { type ReadRun, type RunReader, toEngineEvent } from '@/server/services/run-state';

export interface RunPresenterDeps {
  runs: RunService;
  reader: RunReader;
  masks: RunMasks;
  now: () => number;
  /** Adds what servers said of calls under way. */
  progress: (runId: string, nodes: NodeView[]) => NodeView[];
}

/** A row as lists show it. */
export function toSummary(row: RunRow): RunSummary {
  const { organizationId: _o, definitionHash: _d, shard: _s, startedBy: _b, ...summary } = row;
  return summary;
}

/** Read models of one run, made from its history. All throw RUN_NOT_FOUND. */
export class RunPresenter {
  constructor(private readonly deps: RunPresenterDeps) {}

  async detail(actor: Actor, runId: string, reveal = false): Promise<RunRecord> {
    const [{ row, program, state, events }, links] = await Promise.all([
      this.deps.reader.read(actor, runId),
      this.deps.runs.neighbours(actor, runId),
    ]);
    const masker = await this.deps.masks.for(actor, runId, reveal, 'run');
    const record: RunRecord = {
      ...toSummary(row),
      historyLength: Math.max(row.historyLength, events.length),
      input: state?.input ?? null,
      output: (state?.output ?? null) as Json,
      nodes: state === null ? [] : this.deps.progress(runId, toNodeViews(program, state)),
      startedBy: row.startedBy,
      priority: state?.priority ?? DEFAULT_PRIORITY,
      searchAttributes: state?.searchAttributes ?? {},
      traceId: state?.trace?.traceparent.split('-')[1] ?? null,
      links,
    };
    if (reveal && state?.failure !== undefined && record.failure !== null) record.failure = state.failure;
    return masker === null ? record : maskRecord(masker, record);
  }

  /** The history as bars, one a node path. */
  async timeline(actor: Actor, runId: string) {
    const { row, events } = await this.deps.reader.read(actor, runId);
    return {
      runId,
      startedMs: Date.parse(events[0]?.at ?? row.createdAt),
      closedMs: row.closedAt === null ? null : Date.parse(row.closedAt),
      items: toTimeline(events.map(toEngineEvent)),
    };
  }

  async metrics(actor: Actor, runId: string) {
    const read = await this.deps.reader.read(actor, runId);
    const state = begun(read);
    return { ...workflowMetrics(state, this.deps.now()), usage: runUsage(state) };
  }

  /** The whole history: ours, or as a Temporal history file. */
  async history(actor: Actor, runId: string, format: 'native' | 'temporal', reveal = false) {
    const all = await this.deps.reader.history(actor, await this.deps.runs.get(actor, runId));
    const masker = await this.deps.masks.for(actor, runId, reveal, 'history');
    const events = masker === null ? all : all.map((event) => maskEvent(masker, event));
    return format === 'native' ? { runId, events } : toTemporalHistory(events.map(toEngineEvent));
  }

  /** One node with its whole input and output. Throws NODE_NOT_FOUND. */
  async payload(actor: Actor, runId: string, path: string, reveal = false): Promise<NodeView> {
    const { program, state } = await this.deps.reader.read(actor, runId);
    const node = state?.nodes.get(path);
    if (node !== undefined) {
      const view = toNodeView(program, node);
      const masker = await this.deps.masks.for(actor, runId, reveal, `node ${path}`);
      return masker === null ? view : maskNodeView(masker, view);
    }
    throw new AppError('NODE_NOT_FOUND', `Nothing has happened to a node "${path.slice(0, 200)}".`, {
      path: '/node',
    });
  }

  /** One event, whole, however large. Throws EVENT_NOT_FOUND. */
  async event(actor: Actor, runId: string, seq: number, reveal = false): Promise<WorkflowEventRecord> {
    const [event] = await this.deps.runs.events(actor, runId, seq - 1, 1);
    if (event?.seq === seq) {
      const masker = await this.deps.masks.for(actor, runId, reveal, `event ${seq}`);
      return masker === null ? event : maskEvent(masker, event);
    }
    throw new AppError('EVENT_NOT_FOUND', `The run has no event ${seq}.`, { path: '/seq' });
  }
}

function maskRecord(masker: Masker, record: RunRecord): RunRecord {
  return {
    ...record,
    input: masker.value(record.input, ['input']),
    output: masker.value(record.output, ['output']),
    failure: maskFailureOf(masker, record.failure),
    nodes: record.nodes.map((node) => maskNodeView(masker, node)),
    searchAttributes: masker.value(record.searchAttributes) as RunRecord['searchAttributes'],
  };
}

function begun({ row, state }: ReadRun) {
  if (state !== null) return state;
  throw new AppError('EVENT_NOT_FOUND', `Run ${row.runId} has only just been started: it has no events yet.`);
}
