import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenBadly } from '../fixtures/mcp-servers/misbehaving-http.mjs';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

const fixture = (name: string) => resolve(import.meta.dirname, '../fixtures/mcp-servers', name);
/** Only what never answers waits for its timeout. */
const HANGS = new Set(['hang', 'wrong_id']);
const AT_ONCE = 4;

/** A misbehaviour, the tool that shows it over each transport, and what a run makes of it. */
interface Row {
  what: string;
  stdio?: string;
  http?: string;
  args?: object;
  /** Last event of the call, code of the failure, state of node and run: when the call must not be repeated. */
  expected: string;
}

/** After one of these nothing more happens by itself. */
const REST = new Set([
  'WORKFLOW_EXECUTION_COMPLETED',
  'WORKFLOW_EXECUTION_FAILED',
  'ACTIVITY_TASK_OUTCOME_UNKNOWN',
]);

const DONE = 'ACTIVITY_TASK_COMPLETED – completed completed';
const UNKNOWN = (code: string) => `ACTIVITY_TASK_OUTCOME_UNKNOWN ${code} unknown_outcome running`;
const FAILED = (code: string) => `ACTIVITY_TASK_FAILED ${code} failed failed`;

const MATRIX: Row[] = [
  { what: 'never answers', stdio: 'hang', http: 'hang', expected: UNKNOWN('TIMEOUT') },
  { what: 'dies in the middle', stdio: 'die', http: 'reset', expected: UNKNOWN('NETWORK_ERROR') },
  { what: 'leaves a helper behind', stdio: 'die_with_helper', expected: UNKNOWN('NETWORK_ERROR') },
  {
    what: 'closes its output',
    stdio: 'close_output',
    http: 'early_close',
    expected: UNKNOWN('NETWORK_ERROR'),
  },
  { what: 'writes nonsense before the answer', stdio: 'garbage', expected: DONE },
  { what: 'answers with a page', http: 'html', expected: FAILED('PROTOCOL_ERROR') },
  {
    what: 'answers with HTTP 503',
    http: 'status',
    args: { status: 503 },
    expected: UNKNOWN('NETWORK_ERROR'),
  },
  { what: 'has forgotten the session', http: 'lost_session', expected: DONE },
  {
    what: 'answers with too much',
    stdio: 'huge',
    http: 'huge',
    args: { bytes: 3_000_000 },
    expected: FAILED('PAYLOAD_TOO_LARGE'),
  },
  { what: 'answers under another id', stdio: 'wrong_id', http: 'wrong_id', expected: UNKNOWN('TIMEOUT') },
  {
    what: 'answers with no tool result',
    stdio: 'wrong_shape',
    http: 'wrong_shape',
    expected: FAILED('PROTOCOL_ERROR'),
  },
  {
    what: 'breaks its own output schema',
    stdio: 'lies',
    http: 'lies',
    expected: FAILED('INVALID_TOOL_RESULT'),
  },
  { what: 'floods', stdio: 'flood', http: 'flood', expected: DONE },
  { what: 'answers byte by byte', stdio: 'slow_bytes', http: 'slow_bytes', expected: DONE },
  {
    what: 'answers with a JSON-RPC error',
    stdio: 'rpc_error',
    http: 'rpc_error',
    expected: FAILED('TOOL_ERROR'),
  },
  {
    what: 'reports an error of the tool',
    stdio: 'tool_error',
    http: 'tool_error',
    expected: FAILED('TOOL_ERROR'),
  },
  { what: 'has an invalid input schema', stdio: 'bad_schema', http: 'bad_schema', expected: DONE },
];
const STARTS: { what: string; start: string; expected: string }[] = [
  { what: 'crashes at its start', start: 'crash', expected: FAILED('SERVER_START_FAILED') },
  {
    what: 'says nothing at its start',
    start: 'silent',
    expected: 'ACTIVITY_TASK_TIMED_OUT TIMEOUT failed failed',
  },
  { what: 'greets with lines that are not MCP', start: 'garbage', expected: DONE },
  { what: 'is slow to answer', start: 'slow', expected: DONE },
];

const CASES = [
  ...MATRIX.flatMap((row) =>
    (['stdio', 'http'] as const).flatMap((transport) => {
      const tool = row[transport];
      if (tool === undefined) return [];
      return [{ ...row, transport, server: `${transport}-${tool}`.replaceAll('_', '-'), tool }];
    }),
  ),
  ...STARTS.map((row) => ({
    ...row,
    transport: 'stdio' as const,
    server: `start-${row.start}`,
    tool: 'ok',
    args: {},
  })),
];

/** Every misbehaviour as a durable run in a real process. Each has a server of its own, so breakers do not mix them up. */
describe('servers that go wrong, as durable runs', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  const bad: Awaited<ReturnType<typeof listenBadly>>[] = [];
  const ask = (method: string, path: string, body?: unknown) =>
    engine.request(method, `/api/v1${path}`, body);

  const badOrigin = async () => {
    const server = await listenBadly();
    bad.push(server);
    return server.origin;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: { good: { command: 'node', args: [fixture('env-server.mjs')] } },
      env: { OPENCONDUCTOR_NETWORKS: 'public,loopback', OPENCONDUCTOR_PROBE_INTERVAL_MS: '0' },
    });
    for (const { server, transport, tool, args, ...row } of CASES) {
      const env = 'start' in row ? { START: row.start } : {};
      const config =
        transport === 'stdio'
          ? { type: 'stdio', command: 'node', args: [fixture('misbehaving-server.mjs')], env }
          : { type: 'streamable-http', url: `${await badOrigin()}/mcp` };
      expect((await ask('POST', '/servers', { name: server, config })).status).toBe(201);
      const call = {
        kind: 'mcp-server',
        server,
        tool,
        arguments: args ?? {},
        timeout: HANGS.has(tool) || ('start' in row && row.start === 'silent') ? '4s' : '60s',
        retry: { maxAttempts: 1 },
      };
      // A call that must not be repeated shows what is known of its outcome.
      const nodes = [{ id: 'call', ...call, idempotent: false }];
      expect((await ask('POST', '/workflows', { schemaVersion: 1, name: server, nodes })).status).toBe(201);
    }
    const good = { id: 'call', kind: 'mcp-server', server: 'good', tool: 'tell', arguments: {} };
    const published = await ask('POST', '/workflows', { schemaVersion: 1, name: 'good', nodes: [good] });
    expect(published.status, JSON.stringify(published.body)).toBe(201);
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    for (const server of bad) await server.close();
    await database.drop();
  });

  const outcome = async (workflow: string): Promise<string> => {
    const started = await ask('POST', '/runs', { workflow });
    if (started.status !== 201) return `refused: ${started.body.detail}`;
    const { runId } = started.body;
    const events: { seq: number; type: string; data: { failure?: { code: string } } }[] = [];
    while (!events.some((event) => REST.has(event.type))) {
      const query = `after=${events.at(-1)?.seq ?? 0}&waitMs=5000`;
      const { status, body } = await ask('GET', `/runs/${runId}/events?${query}`);
      expect(status, JSON.stringify(body)).toBe(200);
      events.push(...body.items);
    }
    const last = events.findLast((event) => event.type.startsWith('ACTIVITY_TASK_'));
    const detail = (await ask('GET', `/runs/${runId}`)).body;
    const [node] = detail.nodes;
    return `${last?.type} ${last?.data.failure?.code ?? '–'} ${node.status} ${detail.status}`;
  };

  it('come to the end that the table says, over stdio and HTTP, while the rest of the fleet goes on', async () => {
    const found = new Map<(typeof CASES)[number], string>();
    const waiting = [...CASES];
    const lane = async () => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift())
        found.set(one, await outcome(one.server));
    };
    const ends = Promise.all(Array.from({ length: AT_ONCE }, lane));
    let beside = 0;
    let over = false;
    const others = new Set<string>();
    const watch = (async () => {
      while (!over) {
        others.add(await outcome('good'));
        beside++;
      }
    })();
    await ends.finally(() => {
      over = true;
    });
    await watch;
    expect(
      CASES.map((one) => [one, found.get(one)] as const).map(
        ([one, end]) => `${one.transport} ${one.what}: ${end}`,
      ),
    ).toEqual(CASES.map((one) => `${one.transport} ${one.what}: ${one.expected}`));
    expect([...others]).toEqual([DONE]);
    expect(beside).toBeGreaterThan(5);
    await eventually(
      'the engine is well',
      async () => (await engine.request('GET', '/health/deep')).body.checks.engine.status === 'ok',
    );
  });

  it('stand in docs/fleet.md as they are', () => {
    const docs = readFileSync(resolve(import.meta.dirname, '../../docs/fleet.md'), 'utf8');
    for (const { what, expected, ...row } of [...MATRIX, ...STARTS]) {
      const [event = '', code = '', node = '', run = ''] = expected.split(' ');
      const transports =
        'start' in row ? 'stdio' : [row.stdio && 'stdio', row.http && 'HTTP'].filter(Boolean).join(', ');
      const line = `| ${what} | ${transports} | ${event} | ${code} | ${node} | ${run} |`;
      expect(docs).toContain(line);
    }
  });
});
