import { randomUUID } from 'node:crypto';
import { type Cases, NOBODY, type World } from './case';

const SCHEDULES = '/api/v1/schedules';
const BULK = '/api/v1/bulk-operations';
const nightly = { workflow: 'plain', cron: '0 3 * * *', timeZone: 'Europe/Amsterdam' };

/** Makes a schedule of its own for a case and gives its address. */
async function schedule(w: World): Promise<string> {
  const name = `nightly-${randomUUID().slice(0, 8)}`;
  const { status, body } = await w.ask('POST', SCHEDULES, { name, ...nightly });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return `${SCHEDULES}/${name}`;
}

async function bulk(w: World): Promise<string> {
  const { status, body } = await w.ask('POST', BULK, {
    action: 'pause',
    filter: { workflow: 'nothing-runs-it' },
  });
  if (status !== 202) throw new Error(JSON.stringify(body));
  return `${BULK}/${(body as { bulkId: string }).bulkId}`;
}

const noSchedule = (method: string, path = '', body?: Record<string, unknown>) => ({
  status: 404,
  code: 'SCHEDULE_NOT_FOUND',
  ask: (w: World) => w.ask(method, `${SCHEDULES}/nope${path}`, body),
});

const scheduleCases: Cases = {
  listSchedules: {
    success: { status: 200, ask: (w) => w.ask('GET', SCHEDULES) },
    failure: {
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
      ask: (w) => w.ask('GET', SCHEDULES, undefined, { origin: 'https://evil.example' }),
    },
  },
  createSchedule: {
    success: {
      status: 201,
      ask: (w) => w.ask('POST', SCHEDULES, { name: `s-${randomUUID().slice(0, 8)}`, ...nightly }),
    },
    failure: {
      status: 404,
      code: 'WORKFLOW_NOT_FOUND',
      ask: (w) => w.ask('POST', SCHEDULES, { name: 'orphan', ...nightly, workflow: 'nope' }),
    },
  },
  previewSchedule: {
    success: { status: 200, ask: (w) => w.ask('POST', `${SCHEDULES}/preview`, { cron: '*/5 * * * *' }) },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (w) => w.ask('POST', `${SCHEDULES}/preview`, { cron: 'every other day' }),
    },
  },
  getSchedule: {
    success: { status: 200, ask: async (w) => w.ask('GET', await schedule(w)) },
    failure: noSchedule('GET'),
  },
  replaceSchedule: {
    success: {
      status: 200,
      ask: async (w) => w.ask('PUT', await schedule(w), { ...nightly, cron: '0 4 * * *' }),
    },
    failure: noSchedule('PUT', '', nightly),
  },
  deleteSchedule: {
    success: { status: 204, ask: async (w) => w.ask('DELETE', await schedule(w)) },
    failure: noSchedule('DELETE'),
  },
  listScheduleTimes: {
    success: { status: 200, ask: async (w) => w.ask('GET', `${await schedule(w)}/times?count=3`) },
    failure: noSchedule('GET', '/times'),
  },
  pauseSchedule: {
    success: {
      status: 200,
      ask: async (w) => w.ask('POST', `${await schedule(w)}/pause`, { note: 'holiday' }),
    },
    failure: noSchedule('POST', '/pause', {}),
  },
  resumeSchedule: {
    success: { status: 200, ask: async (w) => w.ask('POST', `${await schedule(w)}/resume`, {}) },
    failure: noSchedule('POST', '/resume', {}),
  },
  triggerSchedule: {
    success: { status: 202, ask: async (w) => w.ask('POST', `${await schedule(w)}/trigger`, {}) },
    failure: noSchedule('POST', '/trigger', {}),
  },
  backfillSchedule: {
    success: {
      status: 202,
      ask: async (w) =>
        w.ask('POST', `${await schedule(w)}/backfill`, {
          from: '2026-01-01T00:00:00Z',
          to: '2026-01-03T00:00:00Z',
        }),
    },
    failure: noSchedule('POST', '/backfill', { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }),
  },
};

const bulkCases: Cases = {
  listBulkOperations: {
    success: { status: 200, ask: (w) => w.ask('GET', BULK) },
    failure: { status: 400, code: 'INVALID_INPUT', ask: (w) => w.ask('GET', `${BULK}?limit=0`) },
  },
  createBulkOperation: {
    success: {
      status: 202,
      ask: (w) => w.ask('POST', BULK, { action: 'resume', filter: { workflow: 'nothing-runs-it' } }),
    },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (w) => w.ask('POST', BULK, { action: 'explode', filter: {} }),
    },
  },
  getBulkOperation: {
    success: { status: 200, ask: async (w) => w.ask('GET', await bulk(w)) },
    failure: { status: 404, code: 'BULK_NOT_FOUND', ask: (w) => w.ask('GET', `${BULK}/${NOBODY}`) },
  },
  cancelBulkOperation: {
    success: { status: 200, ask: async (w) => w.ask('POST', `${await bulk(w)}/cancel`, {}) },
    failure: {
      status: 404,
      code: 'BULK_NOT_FOUND',
      ask: (w) => w.ask('POST', `${BULK}/${NOBODY}/cancel`, {}),
    },
  },
};

/** Cases of schedules and of operations on many runs. */
export const jobCases: Cases = { ...scheduleCases, ...bulkCases };
