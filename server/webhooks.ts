import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '@/lib/shared/clock';
import { uuidv7 } from '@/lib/shared/ids';
import { checkShape } from '@/server/adapters/http/body';
import type { Operation } from '@/server/adapters/http/operation';
import { alertOperations } from '@/server/adapters/http/operations/alerts';
import { webhookOperations } from '@/server/adapters/http/operations/webhooks';
import { createWebhookSender } from '@/server/adapters/http/webhook-sender';
import { createAlertBoard } from '@/server/adapters/postgres/alert-board';
import { createAlertStore } from '@/server/adapters/postgres/alert-store';
import { createAuditLog } from '@/server/adapters/postgres/audit-log';
import type { Pool } from '@/server/adapters/postgres/pool';
import type { createPrisma } from '@/server/adapters/postgres/prisma';
import { createWebhookInStore } from '@/server/adapters/postgres/webhook-in-store';
import { createWebhookOutStore } from '@/server/adapters/postgres/webhook-out-store';
import { createWebhookQueue } from '@/server/adapters/postgres/webhook-queue';
import type { Config } from '@/server/config/config';
import type { OpenBreaker } from '@/server/ports/alert-store';
import type { Bus } from '@/server/ports/bus';
import type { Log } from '@/server/ports/log';
import type { Sealer } from '@/server/ports/sealer';
import type { AccessService } from '@/server/services/access-service';
import { AlertService } from '@/server/services/alert-service';
import type { RunMasks } from '@/server/services/run-masks';
import type { RunService } from '@/server/services/run-service';
import { WebhookInService } from '@/server/services/webhook-in-service';
import { WEBHOOKS_CHANNEL, WebhookOutService } from '@/server/services/webhook-out-service';
import { WebhookReceiver } from '@/server/services/webhook-receiver';
import type { WorkflowService } from '@/server/services/workflow-service';
import { AlertWatch } from '@/server/workers/alert-watch';
import { WebhookDeliverer } from '@/server/workers/webhook-deliverer';
import { WebhookDispatcher } from '@/server/workers/webhook-dispatcher';

const POLL_MS = 1_000;
const HOOK_ID_BYTES = 24;
/** How long attempts under way may still take when the process stops. */
const SEND_OFF_MS = 2_000;

export interface WebhookDeps {
  config: Config;
  /** Connections as oc_app, and through Prisma. */
  app: Pool;
  prisma: ReturnType<typeof createPrisma>;
  /** Connections as oc_engine that the engine itself does not use: it must never wait behind subscribers. */
  watch: Pool;
  /** Seals addresses and secrets. */
  sealer: Sealer;
  workflows: WorkflowService;
  runs: RunService;
  masks: RunMasks;
  access: AccessService;
  openBreakers: () => OpenBreaker[];
  bus: Bus;
  clock: Clock;
  log: Log;
}

/** Part of the composition root: webhooks in and out, alerts, their REST operations and their workers. */
export function createWebhooks(deps: WebhookDeps) {
  const { config, app, prisma, watch, sealer, workflows, runs, masks, access, bus, clock, log } = deps;
  const audit = createAuditLog(prisma);
  const now = () => clock.now();
  const newId = () => uuidv7(clock.now(), randomBytes(10));
  const changed = () => bus.publish(WEBHOOKS_CHANNEL, null);
  const sender = createWebhookSender({
    allowLoopback: config.networks.includes('loopback'),
    allowPrivate: config.networks.includes('private'),
  });
  const ways = createWebhookInStore(app, watch, sealer);
  const store = createWebhookOutStore(app, sealer);
  const queue = createWebhookQueue(watch);
  const loop = { bus, clock, log, newId };
  const dispatcher = new WebhookDispatcher({
    ...loop,
    queue,
    mask: (offered) => masks.offered(offered),
    lostBy: (...of) => access.lostBy(...of),
    pollMs: POLL_MS,
  });
  const deliverer = new WebhookDeliverer({
    ...loop,
    queue,
    store,
    sender,
    random: Math.random,
    pollMs: POLL_MS,
    retryMs: config.webhookRetryMs,
    timeoutMs: config.webhookTimeoutMs,
    disableAfterMs: config.webhookDisableAfterMs,
  });
  const alerts = new AlertWatch({
    ...loop,
    board: createAlertBoard(watch),
    openBreakers: deps.openBreakers,
    reporter: randomUUID(),
    everyMs: config.alertIntervalMs,
  });
  const operations: Operation[] = [
    ...webhookOperations({
      ways: new WebhookInService({
        store: ways,
        workflows,
        access,
        audit,
        newId: () => randomBytes(HOOK_ID_BYTES).toString('base64url'),
      }),
      receiver: new WebhookReceiver({ store: ways, runs, workflows, access, now, checkShape, log }),
      subscriptions: new WebhookOutService({ store, sender, audit, access, newId, now, changed }),
    }),
    ...alertOperations(new AlertService({ store: createAlertStore(app), audit })),
  ];
  return {
    operations,

    /** Only in processes with the role `engine`. */
    start(): void {
      dispatcher.start();
      deliverer.start();
      alerts.start();
    },

    /** Ends after what is under way; harmless when it was never started. */
    async stop(): Promise<void> {
      // A receiver that takes its time is not waited for: its delivery is sent again, by whoever is there then.
      const cancel = clock.at(clock.now() + SEND_OFF_MS, () => sender.close());
      await Promise.all([dispatcher.stop(), deliverer.stop(), alerts.stop()]);
      cancel();
      sender.close();
    },
  };
}
