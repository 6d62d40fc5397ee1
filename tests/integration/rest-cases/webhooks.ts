import { createHmac, randomUUID } from 'node:crypto';
import type { WebhookInSecretBody } from '@/lib/protocol/webhooks';
import { type Cases, NOBODY, type World } from './case';

const IN = '/api/v1/webhooks/in';
const OUT = '/api/v1/webhooks/out';
const ALERTS = '/api/v1/alerts';
const starts = { action: { kind: 'start', workflow: 'plain' } };
/** Loopback, where nobody listens: attempts fail at once. */
const nowhere = { url: 'http://127.0.0.1:9/', events: ['run.timed_out'] };

async function made<T>(w: World, path: string, body: Record<string, unknown>): Promise<T & { name: string }> {
  const answer = await w.ask('POST', path, { name: `w-${randomUUID().slice(0, 8)}`, ...body });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body as T & { name: string };
}

const wayIn = async (w: World) => `${IN}/${(await made(w, IN, starts)).name}`;
const wayOut = async (w: World) => `${OUT}/${(await made(w, OUT, nowhere)).name}`;

/** A delivery of a subscription of its own: its address. */
async function delivery(w: World): Promise<string> {
  const at = await wayOut(w);
  const { body } = await w.ask('POST', `${at}/test`);
  return `${at}/deliveries/${(body as { id: string }).id}`;
}

const missing = (method: string, base: string, path = '', body?: Record<string, unknown>) => ({
  status: 404,
  code: 'WEBHOOK_NOT_FOUND',
  ask: (w: World) => w.ask(method, `${base}/nope${path}`, body),
});

const foreignPage = (path: string) => ({
  status: 403,
  code: 'FORBIDDEN_ORIGIN',
  ask: (w: World) => w.ask('GET', path, undefined, { origin: 'https://evil.example' }),
});

const inCases: Cases = {
  receiveWebhook: {
    success: {
      status: 202,
      ask: async (w) => {
        const hook = await made<WebhookInSecretBody>(w, IN, starts);
        const seconds = String(Math.floor(Date.now() / 1000));
        const key = Buffer.from(hook.secret.replace('whsec_', ''), 'base64');
        const mac = createHmac('sha256', key).update(`msg_1.${seconds}.{}`).digest('base64');
        return w.ask('POST', hook.path, '{}', {
          'content-type': 'application/json',
          'webhook-id': 'msg_1',
          'webhook-timestamp': seconds,
          'webhook-signature': `v1,${mac}`,
        });
      },
    },
    failure: {
      status: 401,
      code: 'WEBHOOK_SIGNATURE_INVALID',
      ask: async (w) => w.ask('POST', (await made<WebhookInSecretBody>(w, IN, starts)).path, {}),
    },
  },
  listWebhooksIn: { success: { status: 200, ask: (w) => w.ask('GET', IN) }, failure: foreignPage(IN) },
  createWebhookIn: {
    success: {
      status: 201,
      ask: (w) => w.ask('POST', IN, { name: `w-${randomUUID().slice(0, 8)}`, ...starts }),
    },
    failure: {
      status: 404,
      code: 'WORKFLOW_NOT_FOUND',
      ask: (w) => w.ask('POST', IN, { name: 'orphan', action: { kind: 'start', workflow: 'nope' } }),
    },
  },
  getWebhookIn: {
    success: { status: 200, ask: async (w) => w.ask('GET', await wayIn(w)) },
    failure: missing('GET', IN),
  },
  replaceWebhookIn: {
    success: { status: 200, ask: async (w) => w.ask('PUT', await wayIn(w), { ...starts, enabled: false }) },
    failure: {
      status: 412,
      code: 'VERSION_CONFLICT',
      ask: async (w) => w.ask('PUT', await wayIn(w), starts, { 'if-match': '"r99"' }),
    },
  },
  deleteWebhookIn: {
    success: { status: 204, ask: async (w) => w.ask('DELETE', await wayIn(w)) },
    failure: missing('DELETE', IN),
  },
  rotateWebhookIn: {
    success: { status: 200, ask: async (w) => w.ask('POST', `${await wayIn(w)}/rotate`, {}) },
    failure: missing('POST', IN, '/rotate', {}),
  },
  listWebhookInDeliveries: {
    success: { status: 200, ask: async (w) => w.ask('GET', `${await wayIn(w)}/deliveries`) },
    failure: missing('GET', IN, '/deliveries'),
  },
};

const outCases: Cases = {
  listWebhooksOut: { success: { status: 200, ask: (w) => w.ask('GET', OUT) }, failure: foreignPage(OUT) },
  createWebhookOut: {
    success: {
      status: 201,
      ask: (w) => w.ask('POST', OUT, { name: `w-${randomUUID().slice(0, 8)}`, ...nowhere }),
    },
    failure: {
      status: 403,
      code: 'ADDRESS_NOT_ALLOWED',
      ask: (w) => w.ask('POST', OUT, { name: 'cloud', url: 'http://169.254.169.254/latest/meta-data' }),
    },
  },
  getWebhookOut: {
    success: { status: 200, ask: async (w) => w.ask('GET', await wayOut(w)) },
    failure: missing('GET', OUT),
  },
  replaceWebhookOut: {
    success: { status: 200, ask: async (w) => w.ask('PUT', await wayOut(w), { format: 'slack' }) },
    failure: {
      status: 412,
      code: 'VERSION_CONFLICT',
      ask: async (w) => w.ask('PUT', await wayOut(w), {}, { 'if-match': '"r99"' }),
    },
  },
  deleteWebhookOut: {
    success: { status: 204, ask: async (w) => w.ask('DELETE', await wayOut(w)) },
    failure: missing('DELETE', OUT),
  },
  rotateWebhookOut: {
    success: { status: 200, ask: async (w) => w.ask('POST', `${await wayOut(w)}/rotate`, {}) },
    failure: missing('POST', OUT, '/rotate', {}),
  },
  listWebhookOutDeliveries: {
    success: { status: 200, ask: async (w) => w.ask('GET', `${await wayOut(w)}/deliveries?state=waiting`) },
    failure: missing('GET', OUT, '/deliveries'),
  },
  getWebhookOutDelivery: {
    success: { status: 200, ask: async (w) => w.ask('GET', await delivery(w)) },
    failure: {
      status: 404,
      code: 'DELIVERY_NOT_FOUND',
      ask: async (w) => w.ask('GET', `${await wayOut(w)}/deliveries/${NOBODY}`),
    },
  },
  replayWebhookOutDelivery: {
    success: { status: 202, ask: async (w) => w.ask('POST', `${await delivery(w)}/replay`) },
    failure: {
      status: 404,
      code: 'DELIVERY_NOT_FOUND',
      ask: async (w) => w.ask('POST', `${await wayOut(w)}/deliveries/${NOBODY}/replay`),
    },
  },
  replayWebhookOut: {
    success: {
      status: 202,
      ask: async (w) => w.ask('POST', `${await wayOut(w)}/replay`, { since: '2026-01-01T00:00:00Z' }),
    },
    failure: missing('POST', OUT, '/replay', { since: '2026-01-01T00:00:00Z' }),
  },
  testWebhookOut: {
    success: { status: 202, ask: async (w) => w.ask('POST', `${await wayOut(w)}/test`) },
    failure: {
      status: 410,
      code: 'WEBHOOK_DISABLED',
      ask: async (w) => {
        const { name } = await made(w, OUT, { ...nowhere, enabled: false });
        return w.ask('POST', `${OUT}/${name}/test`);
      },
    },
  },
};

const alertCases: Cases = {
  listAlerts: {
    success: { status: 200, ask: (w) => w.ask('GET', `${ALERTS}?state=firing`) },
    failure: { status: 400, code: 'INVALID_INPUT', ask: (w) => w.ask('GET', `${ALERTS}?limit=0`) },
  },
  getAlertRules: {
    success: { status: 200, ask: (w) => w.ask('GET', `${ALERTS}/rules`) },
    failure: foreignPage(`${ALERTS}/rules`),
  },
  replaceAlertRules: {
    success: {
      status: 200,
      ask: (w) => w.ask('PUT', `${ALERTS}/rules`, { 'queue-depth': { above: 20_000 } }, { 'if-match': '*' }),
    },
    failure: { status: 428, code: 'PRECONDITION_REQUIRED', ask: (w) => w.ask('PUT', `${ALERTS}/rules`, {}) },
  },
};

/** Cases of webhooks and alerts. */
export const webhookCases: Cases = { ...inCases, ...outCases, ...alertCases };
