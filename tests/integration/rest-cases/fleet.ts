import { randomUUID } from 'node:crypto';
import { listenWithOAuth } from '../../fixtures/mcp-servers/oauth-server.mjs';
import type { Cases, World } from './case';

const SERVERS = '/api/v1/servers';
const SECRETS = '/api/v1/secrets';
const MINE = '/api/v1/me/secrets';
const KEY = '/api/v1/instance/key-rotation';
const config = { type: 'stdio', command: 'node', args: ['--version'] };

/** Adds a server of its own for a case and gives its address. */
async function added(w: World, as: Record<string, unknown> = config): Promise<string> {
  const name = `added-${randomUUID().slice(0, 8)}`;
  const { status, body } = await w.ask('POST', SERVERS, { name, config: as });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return `${SERVERS}/${name}`;
}

const noServer = (method: string, path = '', body?: Record<string, unknown>) => ({
  status: 404,
  code: 'SERVER_NOT_FOUND',
  ask: (w: World) => w.ask(method, `${SERVERS}/nope${path}`, body),
});

/** Cases of changing, watching and trusting servers, and of secrets. */
export const fleetCases: Cases = {
  addServer: {
    success: {
      status: 201,
      ask: (w) => w.ask('POST', SERVERS, { name: `added-${randomUUID().slice(0, 8)}`, config }),
    },
    failure: {
      status: 403,
      code: 'COMMAND_NOT_ALLOWED',
      ask: (w) => w.ask('POST', SERVERS, { name: 'shell', config: { ...config, command: 'bash' } }),
    },
  },
  importServers: {
    success: {
      status: 200,
      ask: (w) => {
        const text = JSON.stringify({ mcpServers: { [`imported-${randomUUID().slice(0, 8)}`]: config } });
        return w.ask('POST', `${SERVERS}/import`, { text });
      },
    },
    failure: {
      status: 400,
      code: 'INVALID_JSON',
      ask: (w) => w.ask('POST', `${SERVERS}/import`, { text: '{"mcpServers":' }),
    },
  },
  getServerConfig: {
    success: { status: 200, ask: async (w) => w.ask('GET', `${await added(w)}/config`) },
    failure: noServer('GET', '/config'),
  },
  replaceServer: {
    success: {
      status: 200,
      ask: async (w) => w.ask('PUT', await added(w), { config: { ...config, args: ['-v'] } }),
    },
    failure: noServer('PUT', '', { config }),
  },
  deleteServer: {
    success: { status: 204, ask: async (w) => w.ask('DELETE', await added(w)) },
    failure: noServer('DELETE'),
  },
  listSecrets: {
    success: { status: 200, ask: (w) => w.ask('GET', SECRETS) },
    failure: {
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
      ask: (w) => w.ask('GET', SECRETS, undefined, { origin: 'https://evil.example' }),
    },
  },
  setSecret: {
    success: { status: 204, ask: (w) => w.ask('PUT', `${SECRETS}/TOKEN`, { value: 'hush' }) },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (w) => w.ask('PUT', `${SECRETS}/TOKEN`, { value: 7 }),
    },
  },
  deleteSecret: {
    success: {
      status: 204,
      ask: async (w) => {
        await w.ask('PUT', `${SECRETS}/GONE`, { value: 'hush' });
        return w.ask('DELETE', `${SECRETS}/GONE`);
      },
    },
    failure: { status: 404, code: 'SECRET_NOT_FOUND', ask: (w) => w.ask('DELETE', `${SECRETS}/NOPE`) },
  },
  listMySecrets: {
    success: { status: 200, ask: (w) => w.ask('GET', MINE) },
    failure: {
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
      ask: (w) => w.ask('GET', MINE, undefined, { origin: 'https://evil.example' }),
    },
  },
  setMySecret: {
    success: { status: 204, ask: (w) => w.ask('PUT', `${MINE}/TOKEN`, { value: 'hush' }) },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (w) => w.ask('PUT', `${MINE}/no name`, { value: 'hush' }),
    },
  },
  deleteMySecret: {
    success: {
      status: 204,
      ask: async (w) => {
        await w.ask('PUT', `${MINE}/GONE`, { value: 'hush' });
        return w.ask('DELETE', `${MINE}/GONE`);
      },
    },
    failure: { status: 404, code: 'SECRET_NOT_FOUND', ask: (w) => w.ask('DELETE', `${MINE}/NOPE`) },
  },
  getKeyRotation: {
    success: { status: 200, ask: (w) => w.ask('GET', KEY) },
    failure: {
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
      ask: (w) => w.ask('GET', KEY, undefined, { origin: 'https://evil.example' }),
    },
  },
  startKeyRotation: {
    success: { status: 202, ask: (w) => w.ask('POST', KEY) },
    failure: {
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
      ask: (w) => w.ask('POST', KEY, undefined, { origin: 'https://evil.example' }),
    },
  },
  testServer: {
    success: { status: 200, ask: (w) => w.ask('POST', `${SERVERS}/slow/test`) },
    failure: noServer('POST', '/test'),
  },
  getServerHealth: {
    success: { status: 200, ask: (w) => w.ask('GET', `${SERVERS}/slow/health`) },
    failure: noServer('GET', '/health'),
  },
  getServerLogs: {
    success: { status: 200, ask: (w) => w.ask('GET', `${SERVERS}/slow/logs`) },
    failure: noServer('GET', '/logs'),
  },
  listServerEvents: {
    success: { status: 200, ask: (w) => w.ask('GET', `${SERVERS}/slow/events`) },
    failure: noServer('GET', '/events'),
  },
  listFleetEvents: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/server-events') },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (w) => w.ask('GET', '/api/v1/server-events?limit=0'),
    },
  },
  listServerTools: {
    success: { status: 200, ask: (w) => w.ask('GET', `${SERVERS}/slow/tools`) },
    failure: noServer('GET', '/tools'),
  },
  acceptServerTools: {
    success: { status: 200, ask: (w) => w.ask('POST', `${SERVERS}/slow/accept`, {}) },
    failure: noServer('POST', '/accept', {}),
  },
  authorizeServer: {
    success: {
      status: 200,
      ask: async (w) => {
        const remote = await listenWithOAuth();
        try {
          return await w.ask(
            'POST',
            `${await added(w, { type: 'streamable-http', url: remote.url })}/authorize`,
          );
        } finally {
          await remote.close();
        }
      },
    },
    failure: noServer('POST', '/authorize'),
  },
};
