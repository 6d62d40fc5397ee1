import { planRerun, type RerunPlan } from '@/lib/engine/rerun';
import type { Actor } from '@/lib/protocol/actor';
import type { RestartBody } from '@/lib/protocol/api-runs';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { Json, JsonObject } from '@/lib/shared/json';
import type { StoredDefinition } from '@/server/ports/definition-store';
import type { RunRow } from '@/server/ports/run-queries';
import type { RunService } from '@/server/services/run-service';
import type { ReadRun, RunReader } from '@/server/services/run-state';
import type { WorkflowService } from '@/server/services/workflow-service';

export interface RerunServiceDeps {
  runs: RunService;
  reader: RunReader;
  workflows: WorkflowService;
}

/**
 * New runs of a chain: a closed history never changes, so retry, rerun and restart start another run under the same workflow
 * id, which takes over the results that still hold. Both runs name each other: the new one by `previousRunId`, the old one
 * by whatever was started from it. All throw RUN_NOT_FOUND, RUN_OPEN, WORKFLOW_ID_IN_USE and what a start throws.
 */
export class RerunService {
  constructor(private readonly deps: RerunServiceDeps) {}

  /** Everything that did not complete, again. Throws NOTHING_TO_RETRY for a run that completed. */
  async retry(actor: Actor, runId: string, key: string | null): Promise<RunRow> {
    const read = await this.closed(actor, runId);
    if (read.row.status === 'completed' || read.row.status === 'continued_as_new') {
      throw new AppError('NOTHING_TO_RETRY', `Run ${runId} completed.`, { path: '/runId' });
    }
    return this.again(actor, read, { mode: 'retry' }, key);
  }

  /** One node and all that comes after it, again. Throws INVALID_INPUT for an unknown node. */
  async rerun(actor: Actor, runId: string, nodeId: string, key: string | null): Promise<RunRow> {
    return this.again(actor, await this.closed(actor, runId), { mode: 'rerun-from', nodeId }, key);
  }

  /** Everything again, with the definition the run had or the newest one. */
  async restart(actor: Actor, runId: string, body: RestartBody, key: string | null): Promise<RunRow> {
    const read = await this.closed(actor, runId);
    const definition =
      body.version === 'latest' ? await this.deps.workflows.get(actor, read.row.workflow) : undefined;
    return this.again(actor, read, { mode: 'restart' }, key, definition, body.input);
  }

  private async closed(actor: Actor, runId: string): Promise<ReadRun> {
    requirePermission(actor, 'executions:control');
    const read = await this.deps.reader.read(actor, runId);
    if (read.row.closedAt !== null) return read;
    throw new AppError('RUN_OPEN', `Run ${runId} is still ${read.row.status}.`, { path: '/runId' });
  }

  private async again(
    actor: Actor,
    { row, program, state, events }: ReadRun,
    plan: RerunPlan,
    key: string | null,
    newest?: StoredDefinition,
    input?: Json,
  ): Promise<RunRow> {
    const seeds = state === null ? {} : planRerun(program, state, plan);
    const { runId, workflow, workflowId, version, definitionHash: hash } = row;
    const definition: StoredDefinition = newest ?? {
      name: workflow,
      version,
      hash,
      definition: program.definition,
      createdAt: new Date(row.createdAt),
    };
    const before = (events[0]?.data.input ?? {}) as Json;
    const facts: JsonObject = {
      previousRunId: runId,
      correlationId: state?.correlationId ?? runId,
      ...(state?.priority === undefined ? {} : { priority: state.priority }),
      ...(Object.keys(seeds).length === 0 ? {} : { seeds: seeds as unknown as JsonObject }),
    };
    const action = plan.mode === 'rerun-from' ? 'run.rerun' : `run.${plan.mode}`;
    return this.deps.runs.begin(actor, {
      definition,
      input: input ?? before,
      workflowId,
      facts,
      follows: state?.trace?.traceparent,
      action,
      details: { previousRunId: runId, ...(plan.mode === 'rerun-from' ? { nodeId: plan.nodeId } : {}) },
      key,
      // What was asked: which version is the newest may be another one by the time it is asked again.
      request: { [action]: { runId, plan, version: newest ? 'latest' : version, input: input ?? null } },
    });
  }
}
