import { randomUUID } from 'node:crypto';
import { type Cases, NOBODY, type World } from './case';

const VIEWS = '/api/v1/views';
const SETTINGS = '/api/v1/settings';
const body = (name: string) => ({ name, filters: { status: ['failed'], startedWithin: '24h' } });

async function view(w: World): Promise<{ path: string; name: string; etag: string }> {
  const name = `view-${randomUUID().slice(0, 8)}`;
  const answer = await w.ask('POST', VIEWS, body(name));
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  const path = answer.headers.get('location') ?? '';
  return { path, name, etag: answer.headers.get('etag') ?? '' };
}

const missing = (method: string, sent?: unknown, headers?: Record<string, string>) => ({
  status: 404,
  code: 'VIEW_NOT_FOUND',
  ask: (w: World) => w.ask(method, `${VIEWS}/${NOBODY}`, sent, headers),
});

/** Cases of saved views and settings. */
export const preferenceCases: Cases = {
  listViews: {
    success: { status: 200, ask: (w) => w.ask('GET', VIEWS) },
    failure: { status: 400, code: 'INVALID_INPUT', ask: (w) => w.ask('GET', `${VIEWS}?name=`) },
  },
  createView: {
    success: { status: 201, ask: (w) => w.ask('POST', VIEWS, body(`view-${randomUUID()}`)) },
    failure: {
      status: 409,
      code: 'VIEW_EXISTS',
      ask: async (w) => w.ask('POST', VIEWS, body((await view(w)).name)),
    },
  },
  getView: {
    success: { status: 200, ask: async (w) => w.ask('GET', (await view(w)).path) },
    failure: missing('GET'),
  },
  replaceView: {
    success: {
      status: 200,
      ask: async (w) => {
        const { path, name, etag } = await view(w);
        return w.ask('PUT', path, { ...body(name), columns: ['runId'] }, { 'if-match': etag });
      },
    },
    failure: {
      status: 412,
      code: 'VERSION_CONFLICT',
      ask: async (w) => {
        const { path, name, etag } = await view(w);
        await w.ask('PUT', path, body(name), { 'if-match': etag });
        return w.ask('PUT', path, body(name), { 'if-match': etag });
      },
    },
  },
  deleteView: {
    success: { status: 204, ask: async (w) => w.ask('DELETE', (await view(w)).path) },
    failure: missing('DELETE'),
  },
  getViewSharing: {
    success: { status: 200, ask: async (w) => w.ask('GET', `${(await view(w)).path}/sharing`) },
    failure: {
      status: 404,
      code: 'VIEW_NOT_FOUND',
      ask: (w) => w.ask('GET', `${VIEWS}/${NOBODY}/sharing`),
    },
  },
  putViewSharing: {
    success: {
      status: 200,
      ask: async (w) => {
        const shares = [{ subject: 'everyone', level: 'read' }];
        const { path } = await view(w);
        return w.ask('PUT', `${path}/sharing`, { restricted: true, shares }, { 'if-match': '"v0"' });
      },
    },
    failure: {
      status: 428,
      code: 'PRECONDITION_REQUIRED',
      ask: async (w) => w.ask('PUT', `${(await view(w)).path}/sharing`, { restricted: true, shares: [] }),
    },
  },
  getSettings: {
    success: { status: 200, ask: (w) => w.ask('GET', SETTINGS) },
    failure: {
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
      ask: (w) => w.ask('GET', SETTINGS, undefined, { origin: 'https://evil.example' }),
    },
  },
  changeSettings: {
    success: { status: 200, ask: (w) => w.ask('PATCH', SETTINGS, { values: { 'tools.changes': null } }) },
    failure: {
      status: 404,
      code: 'SETTING_NOT_FOUND',
      ask: (w) => w.ask('PATCH', SETTINGS, { values: { 'no.such': 1 } }),
    },
  },
  getInstanceSettings: {
    success: { status: 200, ask: (w) => w.ask('GET', `${SETTINGS}/instance`) },
    failure: {
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
      ask: (w) => w.ask('GET', `${SETTINGS}/instance`, undefined, { origin: 'https://evil.example' }),
    },
  },
};
