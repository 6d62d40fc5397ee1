import type { Program } from '@/lib/engine/compile';
import { replay } from '@/lib/engine/step';
import type { EngineEvent } from '@/lib/engine/types';
import { toNodeViews } from '@/lib/engine/views';
import type { Actor } from '@/lib/protocol/actor';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { RunDetail } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';
import type { RunService } from '@/server/services/run-service';

const PAGE = 1_000;

export interface RunPresenterDeps {
  runs: RunService;
  /** The compiled definition that a run started with. */
  program: (organizationId: string, hash: string) => Promise<Program>;
}

/** Read models of one run, made from its history: the same fold that the engine itself uses. */
export class RunPresenter {
  constructor(private readonly deps: RunPresenterDeps) {}

  /** Throws RUN_NOT_FOUND. */
  async detail(actor: Actor, runId: string): Promise<RunDetail> {
    const row = await this.deps.runs.get(actor, runId);
    const { organizationId, definitionHash, shard: _shard, ...summary } = row;
    const program = await this.deps.program(organizationId, definitionHash);
    const events: WorkflowEventRecord[] = [];
    for (;;) {
      const page = await this.deps.runs.events(actor, runId, events.at(-1)?.seq ?? 0, PAGE);
      events.push(...page);
      if (page.length < PAGE) break;
    }
    if (events.length === 0) return { ...summary, input: null, output: null, nodes: [] };
    const state = replay(program, events.map(toEngineEvent));
    return {
      ...summary,
      historyLength: Math.max(summary.historyLength, events.length),
      input: state.input,
      output: (state.output ?? null) as Json,
      nodes: toNodeViews(program, state),
    };
  }
}

/** A stored event as the engine's fold takes it. */
export function toEngineEvent({ type, at, data }: WorkflowEventRecord): EngineEvent {
  return { type, at: Date.parse(at), data } as unknown as EngineEvent;
}
