import type { Cases } from './case';

/** Cases of the operations around servers, and of the document itself. */
export const serverCases: Cases = {
  listServers: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/servers') },
    failure: {
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
      ask: (w) => w.ask('GET', '/api/v1/servers', undefined, { origin: 'null' }),
    },
  },
  getServer: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/servers/slow') },
    failure: { status: 404, code: 'SERVER_NOT_FOUND', ask: (w) => w.ask('GET', '/api/v1/servers/nope') },
  },
  callTool: {
    success: {
      status: 200,
      ask: (w) =>
        w.ask('POST', '/api/v1/servers/slow/call', {
          tool: 'slow_echo',
          arguments: { ms: 1, value: 'hello' },
        }),
    },
    failure: {
      status: 404,
      code: 'TOOL_NOT_FOUND',
      ask: (w) => w.ask('POST', '/api/v1/servers/slow/call', { tool: 'nope' }),
    },
  },
  getOpenApi: {
    success: { status: 200, ask: (w) => w.ask('GET', '/api/v1/openapi.json') },
    failure: {
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
      ask: (w) => w.ask('GET', '/api/v1/openapi.json', undefined, { origin: 'https://evil.example' }),
    },
  },
};
