import { createHash } from 'node:crypto';
import { ENGINE_FLAGS } from '@/lib/engine/flags';
import type { Actor } from '@/lib/protocol/actor';
import type { StartRunBody } from '@/lib/protocol/api';
import { AppError, idempotencyConflict } from '@/lib/protocol/errors';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { EventType } from '@/lib/protocol/events';
import { type Permission, requirePermission } from '@/lib/protocol/permissions';
import type { OrganizationSettings } from '@/lib/protocol/settings';
import { isUuid, shardOf } from '@/lib/shared/ids';
import { canonicalJson, type Json, type JsonObject } from '@/lib/shared/json';
import type { StoredDefinition } from '@/server/ports/definition-store';
import type { AcceptResult, ExecutionStore, InboxRow } from '@/server/ports/execution-store';
import type { McpFleet } from '@/server/ports/mcp-fleet';
import type { RunFilter, RunNeighbours, RunQueries, RunRow } from '@/server/ports/run-queries';
import type { Tracing } from '@/server/ports/tracing';
import { InputChecker } from '@/server/services/input-check';
import { serversOf, type WorkflowService } from '@/server/services/workflow-service';

export interface RunServiceDeps {
  workflows: WorkflowService;
  store: ExecutionStore;
  queries: RunQueries;
  fleet: McpFleet;
  newRunId: () => string;
  shards: number;
  maxPayloadBytes: number;
  /** Of this program; the run notes which build started it. */
  buildId?: string;
  /** What the organisation has set for starts; nothing but the limit above when left out. */
  settings?: ((organizationId: string) => Promise<OrganizationSettings>) | undefined;
  /** Throws QUOTA_EXCEEDED when no further run may begin; no quota when left out. */
  admit?: ((organizationId: string) => Promise<void>) | undefined;
  /** Left out while tracing is off. */
  tracing?: Pick<Tracing, 'startRun'> | undefined;
  /** Tells the owner of the row's shard, when it is in reach, that the row is there. */
  announce: (row: InboxRow) => void;
}

/** A run to start: everything about it that is decided. */
export interface Opening {
  definition: StoredDefinition;
  input: Json;
  /** Servers that the run may use; any when left out. */
  servers?: string[] | undefined;
  workflowId?: string | undefined;
  /** More of the first event: `previousRunId`, `seeds`, `correlationId`. */
  facts: JsonObject;
  /** Span of the run before it, as a traceparent; the new run's links to it. */
  follows?: string | undefined;
  /** For the audit log. */
  action: string;
  details: JsonObject;
  key: string | null;
  /** What the idempotency key stands for. */
  request: unknown;
}

/** A command to an open run: the event it becomes, and its name in the audit log. */
export interface RunCommand {
  eventType: EventType;
  data: JsonObject;
  action: string;
  details?: JsonObject;
  /** What an idempotency key stands for: what was asked, where `data` says more than that. */
  request?: unknown;
}

/** What commands need that are answers of people; every other one needs executions:control. */
const NEEDED: Partial<Record<EventType, Permission>> = {
  APPROVAL_DECIDED: 'approvals:decide',
  OUTCOME_RESOLVED: 'tasks:answer',
  ACTIVITY_TASK_INPUT_PROVIDED: 'tasks:answer',
};

/** Use cases around runs. Every write goes to the durable inbox: acknowledged = committed there. */
export class RunService {
  private readonly inputs = new InputChecker();

  constructor(private readonly deps: RunServiceDeps) {}

  /**
   * Starts a run; with an idempotency key the same request again gives the same run, whatever would keep a new one from starting.
   * Throws WORKFLOW_NOT_FOUND, QUOTA_EXCEEDED, SERVER_NOT_FOUND, INVALID_WORKFLOW_INPUT, PAYLOAD_TOO_LARGE, WORKFLOW_ID_IN_USE,
   * IDEMPOTENCY_CONFLICT.
   */
  async start(actor: Actor, body: StartRunBody, idempotencyKey: string | null): Promise<RunRow> {
    requirePermission(actor, 'workflows:execute');
    const request = { start: body };
    let definition: StoredDefinition;
    try {
      definition = await this.deps.workflows.get(actor, body.workflow, body.version);
    } catch (error) {
      return this.firstAnswer(actor, idempotencyKey, request, error);
    }
    const settings = await this.deps.settings?.(actor.organizationId);
    return this.begin(actor, {
      definition,
      input: body.input ?? {},
      servers: body.servers ?? settings?.['runs.servers'] ?? undefined,
      workflowId: body.workflowId,
      facts: body.priority === undefined ? {} : { priority: body.priority },
      action: 'run.start',
      details: {},
      key: idempotencyKey,
      request,
    });
  }

  /** Starts a run whose definition and input are decided; the caller has checked the permission. Throws as `start` does. */
  async begin(actor: Actor, opening: Opening): Promise<RunRow> {
    const { definition, input, facts } = opening;
    try {
      await this.checkStart(actor, opening);
    } catch (error) {
      return this.firstAnswer(actor, opening.key, opening.request, error);
    }
    const { organizationId } = actor;
    const runId = this.deps.newRunId();
    const workflowId = opening.workflowId ?? runId;
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
      ...(actor.onBehalfOf === undefined ? {} : { onBehalfOf: actor.onBehalfOf }),
      flags: [...ENGINE_FLAGS],
      ...(this.deps.buildId === undefined ? {} : { buildId: this.deps.buildId }),
      ...facts,
      ...(this.deps.tracing ? { trace: this.deps.tracing.startRun(workflow, opening.follows) } : {}),
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
        previousRunId: typeof facts.previousRunId === 'string' ? facts.previousRunId : null,
        started,
      },
      eventType: 'WORKFLOW_EXECUTION_STARTED',
      data: started,
      idempotency: opening.key === null ? null : { key: opening.key, requestHash: hashOf(opening.request) },
      audit: this.audit(actor, opening.action, runId, { workflow, version, ...opening.details }),
    });
    this.tell(accepted);
    return this.get(actor, accepted.runId);
  }

  /**
   * Writes a command to an open run down; its owner carries it out. The permission that it needs is checked here.
   * Throws RUN_NOT_FOUND, RUN_CLOSED, PAYLOAD_TOO_LARGE, IDEMPOTENCY_CONFLICT.
   */
  async send(actor: Actor, runId: string, command: RunCommand, key: string | null): Promise<void> {
    const { eventType, data, action } = command;
    requirePermission(actor, NEEDED[eventType] ?? 'executions:control');
    this.checkSize(data, '/payload');
    const run = await this.get(actor, runId);
    const accepted = await this.deps.store.accept({
      organizationId: actor.organizationId,
      runId,
      shard: run.shard,
      newRun: null,
      eventType,
      data,
      idempotency: key === null ? null : { key, requestHash: commandHash(runId, command) },
      audit: this.audit(actor, action, runId, command.details ?? {}),
    });
    this.tell(accepted);
  }

  async list(actor: Actor, filter: RunFilter, limit: number, cursor: string | null) {
    requirePermission(actor, 'executions:read');
    const before = checkCursor(cursor);
    const { items, next } = await this.deps.queries.list(actor.organizationId, filter, limit, before);
    return { items, nextCursor: next };
  }

  /** Throws RUN_NOT_FOUND. */
  async get(actor: Actor, runId: string): Promise<RunRow> {
    requirePermission(actor, 'executions:read');
    const row = isUuid(runId) ? await this.deps.queries.get(actor.organizationId, runId) : null;
    if (!row) throw notFound(runId);
    return row;
  }

  /** Events after `after`, in order. Throws RUN_NOT_FOUND. */
  async events(actor: Actor, runId: string, after: number, limit: number): Promise<WorkflowEventRecord[]> {
    requirePermission(actor, 'executions:read');
    if (!isUuid(runId)) throw notFound(runId);
    const events = await this.deps.queries.events(actor.organizationId, runId, after, limit);
    // Events say that the run is there; only their absence has to be looked into.
    if (events.length === 0) await this.get(actor, runId);
    return events;
  }

  /**
   * True when this very command was written down before under the same key: a repetition whose first answer got lost. Asked
   * before checks that would now refuse it. Throws IDEMPOTENCY_CONFLICT when the key stands for something else.
   */
  async isRepeated(
    actor: Actor,
    runId: string,
    command: Omit<RunCommand, 'action'>,
    key: string | null,
  ): Promise<boolean> {
    return (await this.usedFor(actor, key, commandHash(runId, command))) !== null;
  }

  /**
   * The run of the first such request, when a start is refused that only repeats it: its answer got lost, and it may be the
   * very run that fills the quota now. Looked up only then, so that starts pay nothing for it. Throws `refusal` when there
   * is none, IDEMPOTENCY_CONFLICT when the key stands for something else.
   */
  private async firstAnswer(actor: Actor, key: string | null, request: unknown, refusal: unknown) {
    const runId = await this.usedFor(actor, key, hashOf(request));
    if (runId === null) throw refusal;
    return this.get(actor, runId);
  }

  /** The run that a request with this key was written down for; null when there is none. Throws IDEMPOTENCY_CONFLICT. */
  private async usedFor(actor: Actor, key: string | null, requestHash: string): Promise<string | null> {
    const use = key === null ? null : await this.deps.queries.keyUse(actor.organizationId, key);
    if (use === null) return null;
    if (use.requestHash === requestHash) return use.runId;
    throw idempotencyConflict();
  }

  /** The runs around a run. Throws RUN_NOT_FOUND. */
  async neighbours(actor: Actor, runId: string): Promise<RunNeighbours> {
    requirePermission(actor, 'executions:read');
    const found = isUuid(runId) ? await this.deps.queries.neighbours(actor.organizationId, runId) : null;
    if (!found) throw notFound(runId);
    return found;
  }

  /** Open runs that ever asked people for something, newest first; behind `before`. */
  async asking(actor: Actor, limit: number, before: string | null): Promise<RunRow[]> {
    requirePermission(actor, 'executions:read');
    return this.deps.queries.askingRuns(actor.organizationId, limit, checkCursor(before));
  }

  private tell({ row }: AcceptResult): void {
    if (row) this.deps.announce(row);
  }

  private audit(actor: Actor, action: string, object: string, details: JsonObject) {
    const from = actor.source === undefined ? {} : { source: actor.source };
    return { actorKind: actor.kind, actorId: actor.id, action, object, details: { ...details, ...from } };
  }

  private async checkStart(actor: Actor, { definition, input, servers }: Opening): Promise<void> {
    await this.deps.admit?.(actor.organizationId);
    await this.checkServers(actor, definition, servers);
    const settings = await this.deps.settings?.(actor.organizationId);
    this.checkSize(input, '/input', settings?.['runs.maxInputBytes']);
    this.inputs.check(definition, input);
  }

  private checkSize(value: Json, path: string, most = this.deps.maxPayloadBytes): void {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    if (bytes <= most) return;
    throw new AppError('PAYLOAD_TOO_LARGE', `${bytes} bytes; the limit is ${most}.`, { path });
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
}

function notFound(runId: string): AppError {
  return new AppError('RUN_NOT_FOUND', `There is no run ${runId.slice(0, 100)}.`, { path: '/runId' });
}

/** Cursors of run lists are run ids. Throws INVALID_INPUT. */
function checkCursor(cursor: string | null): string | null {
  if (cursor === null || isUuid(cursor)) return cursor;
  throw new AppError('INVALID_INPUT', 'This cursor is not one that a list gave.', { path: '/cursor' });
}

function commandHash(runId: string, { eventType, data, request }: Omit<RunCommand, 'action'>): string {
  return hashOf({ runId, eventType, data: request ?? data });
}

/** What an Idempotency-Key is kept with: the same for the same request. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
