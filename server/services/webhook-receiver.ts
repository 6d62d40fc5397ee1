import type { Actor } from '@/lib/protocol/actor';
import { AppError, isAppError, toAppError } from '@/lib/protocol/errors';
import type { Permission } from '@/lib/protocol/permissions';
import { OPEN_RUN_STATUSES } from '@/lib/protocol/run';
import type { HookAnswer } from '@/lib/protocol/webhooks';
import type { JsonObject } from '@/lib/shared/json';
import type { Log } from '@/server/ports/log';
import type { InboundDelivery, WebhookIn, WebhookInStore } from '@/server/ports/webhook-in-store';
import type { AccessService } from '@/server/services/access-service';
import type { RunService } from '@/server/services/run-service';
import {
  type Asked,
  fillAction,
  fulfils,
  type Posted,
  readPosted,
  shownHeaders,
} from '@/server/services/webhook-mapping';
import { verify } from '@/server/services/webhook-signature';
import type { WorkflowService } from '@/server/services/workflow-service';

export interface WebhookReceiverDeps {
  store: WebhookInStore;
  runs: Pick<RunService, 'begin' | 'send' | 'list'>;
  workflows: Pick<WorkflowService, 'get'>;
  access: Pick<AccessService, 'lostBy' | 'workflowOf'>;
  /** Our time, epoch ms; the database's, so that a wrong clock of this machine refuses nobody. */
  now: () => number;
  /** Throws INVALID_INPUT for values that no schema should have to walk. */
  checkShape: (value: unknown) => void;
  log: Log;
}

/** Largest delivery that is noted down with more than its id. */
const MAX_ERROR = 500;

/** The door for other programs: checks the signature, then starts or signals a run, once for each delivery id. */
export class WebhookReceiver {
  constructor(private readonly deps: WebhookReceiverDeps) {}

  /**
   * Takes one delivery. Whatever becomes of it is noted down.
   * Throws WEBHOOK_NOT_FOUND, WEBHOOK_DISABLED, WEBHOOK_SIGNATURE_INVALID, WEBHOOK_TOO_OLD, INVALID_JSON, and what starting
   * or signalling a run throws.
   */
  async receive(
    id: string,
    headers: Headers,
    query: Record<string, string>,
    body: Uint8Array,
  ): Promise<HookAnswer> {
    const { store } = this.deps;
    const organizationId = await store.organizationOf(id);
    const hook = organizationId === null ? null : await store.byId(organizationId, id);
    if (hook === null) throw new AppError('WEBHOOK_NOT_FOUND', 'There is no webhook at this address.');
    const note = (delivery: Omit<InboundDelivery, 'bytes'>) =>
      store.record(hook.organizationId, hook.id, { ...delivery, bytes: body.byteLength });
    let deliveryId = '';
    try {
      const secrets = await store.secrets(hook.organizationId, hook.id);
      ({ deliveryId } = verify(hook.scheme, secrets, headers, body, this.deps.now()));
      if (!hook.enabled)
        throw new AppError('WEBHOOK_DISABLED', `The webhook "${hook.name}" is switched off.`);
      const answer = await this.act(hook, deliveryId, headers, query, body);
      await note({ ...answer, code: null, error: null });
      return answer;
    } catch (thrown) {
      const error = toAppError(thrown);
      await note({
        deliveryId: deliveryId || claimedId(headers),
        status: 'refused',
        runId: null,
        code: error.code,
        error: error.message.slice(0, MAX_ERROR),
      }).catch((failure: unknown) =>
        this.deps.log.warn('webhook_in', { status: 'failed', error: String(failure) }),
      );
      throw thrown;
    }
  }

  private async act(
    hook: WebhookIn,
    deliveryId: string,
    headers: Headers,
    query: Record<string, string>,
    body: Uint8Array,
  ): Promise<HookAnswer> {
    const { store, now } = this.deps;
    const before = await store.taken(hook.organizationId, hook.id, deliveryId);
    if (before !== null) return { status: 'repeated', deliveryId, runId: before.runId };
    const posted: Posted = {
      body: readPosted(body, headers.get('content-type') ?? ''),
      headers: shownHeaders(headers),
      query,
    };
    this.deps.checkShape(posted.body);
    const at = now();
    if (!fulfils(hook.when, posted, at)) return { status: 'ignored', deliveryId, runId: null };
    const asked = fillAction(hook.action, posted, at);
    const runId =
      asked.kind === 'start'
        ? await this.start(hook, deliveryId, asked)
        : await this.signal(hook, deliveryId, asked);
    return { status: 'accepted', deliveryId, runId };
  }

  /** The same delivery again gives the same run, also when it comes while the first is under way. */
  private async start(
    hook: WebhookIn,
    deliveryId: string,
    asked: Extract<Asked, { kind: 'start' }>,
  ): Promise<string> {
    const actor = actorOf(hook);
    await this.refuseLost(hook, 'workflows:execute', asked.workflow);
    const definition = await this.deps.workflows.get(actor, asked.workflow, asked.version);
    const run = await this.deps.runs.begin(actor, {
      definition,
      input: asked.input,
      workflowId: asked.workflowId,
      facts: {},
      action: 'run.start',
      details: { webhook: hook.name, delivery: deliveryId },
      key: keyOf(hook, deliveryId),
      request: { webhook: hook.id, delivery: deliveryId },
    });
    return run.runId;
  }

  private async signal(
    hook: WebhookIn,
    deliveryId: string,
    asked: Extract<Asked, { kind: 'signal' }>,
  ): Promise<string> {
    const actor = actorOf(hook);
    const runId = asked.runId ?? (await this.openRun(actor, asked.workflowId ?? ''));
    const workflow = await this.deps.access.workflowOf(hook.organizationId, runId);
    if (workflow !== null) await this.refuseLost(hook, 'executions:control', workflow);
    const key = keyOf(hook, deliveryId);
    // The key doubles as the signal's id, so that the engine drops a repetition as well.
    const data: JsonObject = { name: asked.signal, payload: asked.payload, signalId: key, by: actor.id };
    const request = { webhook: hook.id, delivery: deliveryId };
    const details = { webhook: hook.name, delivery: deliveryId };
    try {
      await this.deps.runs.send(
        actor,
        runId,
        { eventType: 'WORKFLOW_EXECUTION_SIGNALED', data, action: 'run.signal', details, request },
        key,
      );
    } catch (error) {
      // The delivery was taken before, for a run that was open then under the same workflow id.
      if (!isAppError(error) || error.code !== 'IDEMPOTENCY_CONFLICT') throw error;
    }
    return runId;
  }

  /** Throws FORBIDDEN when the workflow is restricted and whoever made the webhook may not do this with it (any more). */
  private async refuseLost(hook: WebhookIn, permission: Permission, workflow: string): Promise<void> {
    const { organizationId, createdBy } = hook;
    if (!(await this.deps.access.lostBy(organizationId, createdBy, permission)).includes(workflow)) return;
    throw new AppError(
      'FORBIDDEN',
      `Whoever made the webhook "${hook.name}" does not have ${permission} there.`,
    );
  }

  /** Throws RUN_NOT_FOUND when no run of the chain is open. */
  private async openRun(actor: Actor, workflowId: string): Promise<string> {
    const { items } = await this.deps.runs.list(actor, { workflowId, status: OPEN_RUN_STATUSES }, 1, null);
    const run = items[0];
    if (run !== undefined) return run.runId;
    const name = workflowId.slice(0, 100);
    throw new AppError('RUN_NOT_FOUND', `No run with the workflow id "${name}" is open.`);
  }
}

function keyOf(hook: WebhookIn, deliveryId: string): string {
  return `webhook:${hook.id}:${deliveryId}`;
}

/** A webhook may do what an operator may with runs, and nothing else. */
function actorOf({ organizationId, name, createdBy }: WebhookIn): Actor {
  return {
    kind: 'system',
    id: `webhook:${name}`,
    onBehalfOf: createdBy,
    organizationId,
    role: 'operator',
    permissions: [
      'workflows:read',
      'workflows:execute',
      'executions:read',
      'executions:control',
      'servers:read',
    ],
    displayName: `Webhook ${name}`,
  };
}

/** What an unverified sender says its id is: noted down, and trusted with nothing. */
function claimedId(headers: Headers): string {
  const claimed = headers.get('webhook-id') ?? headers.get('x-github-delivery') ?? '';
  return claimed.replace(/[^\x21-\x7e]/g, '?').slice(0, 200);
}
