import { createHash } from 'node:crypto';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { ENGINE_FLAGS } from '@/lib/engine/flags';
import type { Actor } from '@/lib/protocol/actor';
import type { StartRunBody } from '@/lib/protocol/api';
import { AppError } from '@/lib/protocol/errors';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { RunSummary } from '@/lib/protocol/run';
import { isUuid, shardOf } from '@/lib/shared/ids';
import { canonicalJson, type Json, type JsonObject } from '@/lib/shared/json';
import type { StoredDefinition } from '@/server/ports/definition-store';
import type { AcceptResult, ExecutionStore, InboxRow } from '@/server/ports/execution-store';
import type { McpFleet } from '@/server/ports/mcp-fleet';
import type { RunFilter, RunQueries, RunRow } from '@/server/ports/run-queries';
import { requireRole, serversOf, type WorkflowService } from '@/server/services/workflow-service';

export interface RunServiceDeps {
  workflows: WorkflowService;
  store: ExecutionStore;
  queries: RunQueries;
  fleet: McpFleet;
  newRunId: () => string;
  shards: number;
  maxPayloadBytes: number;
  /** Tells the owner of the row's shard, when it is in reach, that the row is there. */
  announce: (row: InboxRow) => void;
}

/** Use cases around runs. Every write goes to the durable inbox: acknowledged = committed there. */
export class RunService {
  private readonly ajv = new Ajv2020({ allErrors: true, strict: false });
  private readonly inputChecks = new Map<string, ValidateFunction>();

  constructor(private readonly deps: RunServiceDeps) {}

  /**
   * Starts a run; with an idempotency key the same request again gives the same run.
   * Throws WORKFLOW_NOT_FOUND, SERVER_NOT_FOUND, INVALID_WORKFLOW_INPUT, PAYLOAD_TOO_LARGE, WORKFLOW_ID_IN_USE,
   * IDEMPOTENCY_CONFLICT.
   */
  async start(actor: Actor, body: StartRunBody, idempotencyKey: string | null): Promise<RunRow> {
    requireRole(actor, 'operator');
    const definition = await this.deps.workflows.get(actor, body.workflow, body.version);
    await this.checkServers(actor, definition, body.servers);
    const input = body.input ?? {};
    this.checkInput(definition, input);
    const { organizationId } = actor;
    const runId = this.deps.newRunId();
    const workflowId = body.workflowId ?? runId;
    const shard = shardOf(workflowId, this.deps.shards);
    const { name: workflow, version, hash } = definition;
    const started: JsonObject = {
      runId,
      workflowId,
      organizationId,
      workflow,
      version,
      definitionHash: hash,
      input,
      startedBy: actor.id,
      flags: [...ENGINE_FLAGS],
    };
    const accepted = await this.deps.store.accept({
      organizationId,
      runId,
      shard,
      newRun: {
        runId,
        organizationId,
        workflowId,
        workflow,
        version,
        definitionHash: hash,
        shard,
        startedBy: actor.id,
        parentRunId: null,
        parentNodePath: null,
        previousRunId: null,
        started,
      },
      eventType: 'WORKFLOW_EXECUTION_STARTED',
      data: started,
      idempotency:
        idempotencyKey === null ? null : { key: idempotencyKey, requestHash: hashOf({ start: body }) },
      audit: this.audit(actor, 'run.start', runId, { workflow, version }),
    });
    this.tell(accepted);
    return this.get(actor, accepted.runId);
  }

  /** Sends a signal to an open run. Throws RUN_NOT_FOUND, RUN_CLOSED. */
  async signal(actor: Actor, runId: string, name: string, payload: Json, key: string | null): Promise<void> {
    // The key doubles as the signal's id, so that a repeated request is dropped by the engine as well.
    const signalId = key ?? this.deps.newRunId();
    await this.send(
      actor,
      runId,
      'WORKFLOW_EXECUTION_SIGNALED',
      { name, payload, signalId, by: actor.id },
      'run.signal',
      key,
    );
  }

  /** Asks an open run to cancel: running calls are stopped, compensation runs. Throws RUN_NOT_FOUND, RUN_CLOSED. */
  async cancel(actor: Actor, runId: string, reason: string | undefined, key: string | null): Promise<void> {
    const data: JsonObject = { by: actor.id, ...(reason === undefined ? {} : { reason }) };
    await this.send(actor, runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', data, 'run.cancel', key);
  }

  async list(actor: Actor, filter: RunFilter, limit: number, cursor: string | null) {
    requireRole(actor, 'viewer');
    if (cursor !== null && !isUuid(cursor)) {
      throw new AppError('INVALID_INPUT', 'This cursor is not one that a list gave.', { path: '/cursor' });
    }
    const items: RunSummary[] = await this.deps.queries.list(actor.organizationId, filter, limit, cursor);
    return { items, nextCursor: items.length === limit ? (items.at(-1)?.runId ?? null) : null };
  }

  /** Throws RUN_NOT_FOUND. */
  async get(actor: Actor, runId: string): Promise<RunRow> {
    requireRole(actor, 'viewer');
    const row = isUuid(runId) ? await this.deps.queries.get(actor.organizationId, runId) : null;
    if (!row) throw new AppError('RUN_NOT_FOUND', `There is no run ${runId}.`, { path: '/runId' });
    return row;
  }

  /** Events after `after`, in order. Throws RUN_NOT_FOUND. */
  async events(actor: Actor, runId: string, after: number, limit: number): Promise<WorkflowEventRecord[]> {
    const run = await this.get(actor, runId);
    return this.deps.queries.events(actor.organizationId, run.runId, after, limit);
  }

  private async send(
    actor: Actor,
    runId: string,
    eventType: string,
    data: JsonObject,
    action: string,
    key: string | null,
  ): Promise<void> {
    requireRole(actor, 'operator');
    this.checkSize(data, '/payload');
    const run = await this.get(actor, runId);
    const accepted = await this.deps.store.accept({
      organizationId: actor.organizationId,
      runId,
      shard: run.shard,
      newRun: null,
      eventType,
      data,
      idempotency: key === null ? null : { key, requestHash: hashOf({ runId, eventType, data }) },
      audit: this.audit(actor, action, runId, {}),
    });
    this.tell(accepted);
  }

  private tell({ row }: AcceptResult): void {
    if (row) this.deps.announce(row);
  }

  private audit(actor: Actor, action: string, object: string, details: JsonObject) {
    return { actorKind: actor.kind, actorId: actor.id, action, object, details };
  }

  private checkSize(value: Json, path: string): void {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    const { maxPayloadBytes } = this.deps;
    if (bytes <= maxPayloadBytes) return;
    throw new AppError('PAYLOAD_TOO_LARGE', `${bytes} bytes; the limit is ${maxPayloadBytes}.`, { path });
  }

  private async checkServers(
    actor: Actor,
    { definition, name }: StoredDefinition,
    allowed: string[] | undefined,
  ) {
    const needed = serversOf(definition);
    const known = new Set((await this.deps.fleet.list(actor.organizationId)).map((server) => server.name));
    for (const [i, server] of (allowed ?? []).entries()) {
      if (!known.has(server)) {
        throw new AppError('SERVER_NOT_FOUND', `There is no server "${server}".`, { path: `/servers/${i}` });
      }
    }
    for (const server of needed) {
      if (!known.has(server)) {
        throw new AppError(
          'SERVER_NOT_FOUND',
          `Workflow "${name}" needs server "${server}", which is not configured.`,
          {
            path: '/workflow',
          },
        );
      }
      if (allowed && !allowed.includes(server)) {
        throw new AppError(
          'INVALID_INPUT',
          `Workflow "${name}" needs server "${server}", which is not among those given.`,
          {
            path: '/servers',
          },
        );
      }
    }
  }

  private checkInput({ definition, hash }: StoredDefinition, input: Json): void {
    this.checkSize(input, '/input');
    if (!definition.input) return;
    let check = this.inputChecks.get(hash);
    if (!check) {
      check = this.ajv.compile(definition.input as object);
      if (this.inputChecks.size > 1_000) this.inputChecks.clear();
      this.inputChecks.set(hash, check);
    }
    if (check(input)) return;
    const problems = (check.errors ?? []).map((error) => ({
      path: `/input${error.instancePath}${missing(error.params)}`,
      message: error.message ?? 'does not fit',
    }));
    const first = problems[0] ?? { path: '/input', message: 'does not fit' };
    throw new AppError('INVALID_WORKFLOW_INPUT', `${first.path} ${first.message}.`, {
      path: first.path,
      details: problems,
    });
  }
}

/** The missing or unexpected property of an ajv error, as a further step of the path. */
function missing(params: Record<string, unknown>): string {
  const name = params.missingProperty ?? params.additionalProperty;
  return typeof name === 'string' ? `/${name}` : '';
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
