import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import parsePrometheus from 'parse-prometheus-text-format';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { METRICS } from '@/server/adapters/observability/metric-catalogue';
import { createBacklogReader } from '@/server/adapters/postgres/backlog';
import { createPool } from '@/server/adapters/postgres/pool';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { withDatabase } from '../support/database-admin';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { OtlpCollector, type ReceivedSpan } from '../support/otlp-collector';

const script = resolve(import.meta.dirname, '../fixtures/mcp-servers/meta-server.mjs');
const SERVER = 2;
const INTERNAL = 1;
const CLIENT = 3;
const ERROR = 2;

const step = (id: string, server: string, args: object = {}) => ({
  id,
  kind: 'mcp-server',
  server,
  tool: 'note',
  arguments: args,
});
const chain = (name: string, ...nodes: { id: string }[]) => ({
  schemaVersion: 1,
  name,
  nodes,
  edges: nodes.slice(1).map((node, i) => ({ from: nodes[i]?.id, to: node.id })),
});

interface Noted {
  server: string;
  meta: { traceparent?: string; tracestate?: string };
}

let database: TestDatabase;
let folder: string;
const processes: EngineProcess[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oc-traces-'));
});
afterEach(async () => {
  for (const engine of processes.splice(0)) {
    await engine.end();
    await engine.removeData();
  }
  await rm(folder, { recursive: true, force: true });
});

async function launch(env: Record<string, string>, dataDir?: string): Promise<EngineProcess> {
  const server = (name: string) => ({
    command: 'node',
    args: [script],
    env: { LOG_FILE: join(folder, 'calls.jsonl'), NAME: name },
  });
  const engine = await EngineProcess.start({
    databaseUrl: database.adminUrl,
    servers: { one: server('one'), two: server('two') },
    env,
    ...(dataDir === undefined ? {} : { dataDir }),
  });
  processes.push(engine);
  return engine;
}

async function calls(): Promise<Noted[]> {
  const file = join(folder, 'calls.jsonl');
  if (!existsSync(file)) return [];
  return (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Noted);
}

async function publish(engine: EngineProcess, definition: object): Promise<void> {
  const { status, body } = await engine.request('POST', '/api/v1/workflows', definition);
  expect(status, JSON.stringify(body)).toBeLessThan(300);
}

async function start(engine: EngineProcess, workflow: string, headers: Record<string, string> = {}) {
  const { status, body } = await engine.request('POST', '/api/v1/runs', { workflow }, headers);
  expect(status, JSON.stringify(body)).toBeLessThan(300);
  return body.runId as string;
}

async function closed(engine: EngineProcess, runId: string) {
  return eventually(`run ${runId} closes`, async () => {
    const { body } = await engine.request('GET', `/api/v1/runs/${runId}`);
    return body?.closedAt ? body : null;
  });
}

const spansOf = (collector: OtlpCollector, runId: string) =>
  collector.spans.filter((span) => span.attributes['openconductor.run.id'] === runId);

describe('traces', () => {
  let collector: OtlpCollector;
  beforeEach(async () => {
    collector = await OtlpCollector.listen();
  });
  afterEach(async () => {
    expect(collector.problems).toEqual([]);
    await collector.close();
  });
  const on = (more: Record<string, string> = {}) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    ...more,
  });

  it('are one from the caller through REST, the run and its attempts to both servers', async () => {
    const engine = await launch(
      on({
        OTEL_SERVICE_NAME: 'conductor-test',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=lab,team=a%20b',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=k%3D1',
        OPENCONDUCTOR_LOG_LEVEL: 'debug',
      }),
    );
    await publish(engine, chain('two-calls', step('a', 'one', { secret: 'hush' }), step('b', 'two')));
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const runId = await start(engine, 'two-calls', {
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
      tracestate: 'vendor=t1',
    });
    const run = await closed(engine, runId);
    expect(run).toMatchObject({ status: 'completed', traceId });

    const spans = await eventually('all six spans arrive', () => {
      const found = collector.spans.filter((span) => span.traceId === traceId);
      return found.length >= 6 && found;
    });
    const one = (name: string): ReceivedSpan => {
      const found = spans.filter((span) => span.name === name);
      expect(found, name).toHaveLength(1);
      return found[0] as ReceivedSpan;
    };
    const http = one('POST /api/v1/runs');
    expect(http).toMatchObject({
      kind: SERVER,
      parentSpanId: 'b7ad6b7169203331',
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/api/v1/runs',
        'http.response.status_code': 201,
      },
      resource: {
        'service.name': 'conductor-test',
        'deployment.environment.name': 'lab',
        team: 'a b',
      },
    });
    const whole = one('run two-calls');
    expect(whole).toMatchObject({
      kind: INTERNAL,
      parentSpanId: http.spanId,
      attributes: { 'openconductor.run.id': runId, 'openconductor.run.status': 'completed' },
    });
    const noted = await calls();
    expect(noted.map(({ server }) => server)).toEqual(['one', 'two']);
    const tools = spans.filter((span) => span.name === 'tools/call note');
    for (const [i, name] of ['a', 'b'].entries()) {
      const attempt = one(`activity ${name}`);
      expect(attempt).toMatchObject({
        parentSpanId: whole.spanId,
        attributes: { 'openconductor.node.path': name, 'openconductor.activity.attempt': 1 },
      });
      const tool = tools.find((span) => span.parentSpanId === attempt.spanId);
      expect(tool).toMatchObject({
        kind: CLIENT,
        attributes: { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'note' },
      });
      expect(noted[i]?.meta).toMatchObject({
        traceparent: `00-${traceId}-${tool?.spanId}-01`,
        tracestate: 'vendor=t1',
      });
    }
    expect(JSON.stringify(spans.map((span) => span.attributes))).not.toContain('hush');
    expect(collector.headers.at(-1)).toMatchObject({ 'x-collector-key': 'k=1' });
    // The request's log line names the trace as well.
    const line = engine.log
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .find(({ operation, trace_id }) => operation === 'http_request' && trace_id === traceId);
    expect(line).toMatchObject({ method: 'POST', path: '/api/v1/runs', span_id: http.spanId });
  });

  it('go on after a kill -9 in the middle: the second call belongs to the same trace', async () => {
    const env = on();
    const gate = join(folder, 'gate');
    const first = await launch(env);
    await publish(first, chain('held', step('a', 'one'), step('b', 'two', { gate })));
    const runId = await start(first, 'held');
    await eventually('the second call is under way', async () => (await calls()).length === 2);
    await eventually('the first attempt is reported', () =>
      spansOf(collector, runId).some((span) => span.name === 'activity a'),
    );
    await first.end('SIGKILL');
    await writeFile(gate, '');

    const second = await launch(env, first.dataDir);
    const { status, traceId } = await closed(second, runId);
    expect(status).toBe('completed');
    const whole = await eventually('the run is reported', () => collector.named('run held')[0]);
    const again = await eventually('the repeated call is reported', () =>
      spansOf(collector, runId).find((span) => span.name === 'activity b'),
    );
    expect([whole.traceId, again.traceId]).toEqual([traceId, traceId]);
    const before = collector.named('activity a')[0];
    expect([before?.parentSpanId, again.parentSpanId]).toEqual([whole.spanId, whole.spanId]);
    // The two processes are told apart, the trace is one.
    expect(before?.resource['service.instance.id']).not.toBe(again.resource['service.instance.id']);
    const noted = await calls();
    expect(noted.map(({ server }) => server)).toEqual(['one', 'two', 'two']);
    expect(noted.map(({ meta }) => meta.traceparent?.split('-')[1])).toEqual([traceId, traceId, traceId]);
    expect(new Set(noted.map(({ meta }) => meta.traceparent)).size).toBe(3);
    const request = await eventually(
      'the request is reported',
      () => collector.named('POST /api/v1/runs')[0],
    );
    expect(whole.parentSpanId).toBe(request.spanId);
  });

  it('show failures by their codes and nothing of what was said; retries are spans of their own', async () => {
    const engine = await launch(on());
    const retry = { maxAttempts: 2, initialDelay: '1ms', retryOn: ['TOOL_ERROR'] };
    await publish(
      engine,
      chain('refused', { ...step('a', 'one', { fail: true }), ...{ retry } } as { id: string }),
    );
    const runId = await start(engine, 'refused');
    const { traceId } = await closed(engine, runId);
    const whole = await eventually('the run is reported', () => collector.named('run refused')[0]);
    expect(whole).toMatchObject({ status: { code: ERROR }, attributes: { 'error.type': 'TOOL_ERROR' } });
    const attempts = collector.named('activity a').filter((span) => span.traceId === traceId);
    expect(attempts.map((span) => span.attributes['openconductor.activity.attempt'])).toEqual([1, 2]);
    expect(attempts.map((span) => span.attributes['error.type'])).toEqual(['TOOL_ERROR', 'TOOL_ERROR']);
    const tools = collector.named('tools/call note').filter((span) => span.traceId === traceId);
    expect(tools.map((span) => span.attributes['error.type'])).toEqual(['tool_error', 'tool_error']);
    expect(
      JSON.stringify(collector.spans, (_key, value) => (typeof value === 'bigint' ? 0 : value)),
    ).not.toContain('swordfish');
    const { body } = await engine.request('GET', '/api/v1/runs/nonsense');
    const refused = await eventually('the refused request is reported', () =>
      collector.spans.find((span) => span.attributes['http.response.status_code'] === 404),
    );
    expect(refused).toMatchObject({
      name: 'GET /api/v1/runs/{runId}',
      attributes: { 'error.type': body.code },
    });
    expect(refused.status.code ?? 0).not.toBe(ERROR);
  });

  it('hold child runs; the next run of a chain has a trace of its own that links back', async () => {
    const engine = await launch(on());
    await publish(engine, chain('inner', step('x', 'one')));
    const child = { id: 'c', kind: 'subworkflow', workflow: 'inner', input: {} };
    const again = { id: 'again', kind: 'terminate', status: 'continue-as-new', input: { last: true } };
    const more = { id: 'more', kind: 'condition', cases: [{ port: 'next', when: '!has(input.last)' }] };
    const edges = [
      { from: 'c', to: 'more' },
      { from: 'more', to: 'again', port: 'next' },
    ];
    await publish(engine, { schemaVersion: 1, name: 'outer', nodes: [child, more, again], edges });
    const { status, body } = await engine.request('POST', '/api/v1/runs', { workflow: 'outer', input: {} });
    expect(status, JSON.stringify(body)).toBeLessThan(300);
    const { traceId } = await closed(engine, body.runId);
    const outer = await eventually('both runs of the chain are reported', () => {
      const found = collector.named('run outer').sort((a, b) => a.startedMs - b.startedMs);
      return found.length === 2 && (found as [ReceivedSpan, ReceivedSpan]);
    });
    const inner = collector.named('run inner').sort((a, b) => a.startedMs - b.startedMs);
    expect(inner.map((span) => span.parentSpanId)).toEqual(outer.map((span) => span.spanId));
    expect(inner.map((span) => span.traceId)).toEqual(outer.map((span) => span.traceId));
    expect(outer[0]).toMatchObject({
      traceId,
      attributes: { 'openconductor.run.status': 'continued_as_new' },
    });
    expect(outer[0].status.code ?? 0).not.toBe(ERROR);
    expect(outer[1].traceId).not.toBe(traceId);
    expect(outer[1].parentSpanId).toBeUndefined();
    expect(outer[1].links).toEqual([{ traceId, spanId: outer[0].spanId }]);
  });

  it('are not recorded for a caller who does not record; its trace id is passed on all the same', async () => {
    const engine = await launch(on());
    await publish(engine, chain('unrecorded', step('a', 'one')));
    const traceId = '1bf7651916cd43dd8448eb211c80319d';
    const runId = await start(engine, 'unrecorded', { traceparent: `00-${traceId}-b7ad6b7169203331-00` });
    expect(await closed(engine, runId)).toMatchObject({ status: 'completed', traceId });
    const [call] = await calls();
    expect(call?.meta.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    // A recorded run after it: had the first been recorded, it would be here.
    const later = await start(engine, 'unrecorded');
    await closed(engine, later);
    await eventually('the later run is reported', () => collector.named('run unrecorded')[0]);
    expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });
});

describe('a collector that is of no use', () => {
  it.each([
    ['is dead', () => Promise.resolve({ port: 9, close: () => undefined })],
    [
      'accepts and never answers',
      async () => {
        const server = createServer(() => undefined);
        await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
        return { port: (server.address() as { port: number }).port, close: () => server.close() };
      },
    ],
  ])('%s: runs go on, and the process ends in time', async (_name, listen) => {
    const { port, close } = await listen();
    const engine = await launch({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${port}/v1/traces` });
    await publish(engine, chain('unseen', step('a', 'one'), step('b', 'two')));
    const runs = await Promise.all(Array.from({ length: 20 }, () => start(engine, 'unseen')));
    for (const runId of runs) expect((await closed(engine, runId)).status).toBe('completed');
    const begun = Date.now();
    const { code } = await engine.end('SIGTERM');
    expect(code).toBe(0);
    expect(Date.now() - begun).toBeLessThan(60_000);
    close();
  });
});

describe('the backlog in the database', () => {
  it('is told by number and age, once for all who ask in the same moment', async () => {
    const own = await createTestDatabase();
    const admin = new pg.Client(own.adminUrl);
    await admin.connect();
    const pool = createPool(own.url('oc_engine'), 2, 'backlog-test');
    let now = 0;
    const read = createBacklogReader(pool, () => now);
    try {
      expect(await read()).toEqual({
        inboxDepth: 0,
        inboxOldest: 0,
        relayEvents: 0,
        relayOldest: 0,
        unownedShards: 0,
        processes: 0,
      });
      const run = '019a0000-0000-7000-8000-000000000001';
      const ago = "now() - interval '40 seconds'";
      await admin.query(`INSERT INTO workflow_inbox (shard, organization_id, run_id, event_type, data, created_at)
        SELECT 1, '${run}', '${run}', 'X', '{}', ${ago} FROM generate_series(1, 3)`);
      await admin.query(`INSERT INTO workflow_event (run_id, seq, organization_id, type, at, data)
        SELECT '${run}', n, '${run}', 'X', ${ago}, '{}' FROM generate_series(1, 9) n`);
      await admin.query(`INSERT INTO event_outbox (organization_id, refs, event_count)
        VALUES ('${run}', '[["${run}", 4, 8]]', 5), ('${run}', '[["${run}", 9, 9]]', 1)`);
      await admin.query(`INSERT INTO workflow_shard (shard, owner, lease_until) VALUES
        (0, NULL, '-infinity'), (1, '${run}', ${ago}), (2, '${run}', now() + interval '1 minute')`);
      await admin.query(`INSERT INTO engine_process (id, build_id, host, pid, live_until)
        VALUES ('${run}', 'b', 'h', 1, now() + interval '1 minute')`);
      expect((await read()).inboxDepth).toBe(0);
      now += 1_000;
      const [backlog, again] = [read(), read()];
      expect(again).toBe(backlog);
      const { inboxOldest, relayOldest, ...rest } = await backlog;
      expect(rest).toEqual({ inboxDepth: 3, relayEvents: 6, unownedShards: 2, processes: 1 });
      for (const age of [inboxOldest, relayOldest]) {
        expect(age).toBeGreaterThanOrEqual(40);
        expect(age).toBeLessThan(100);
      }
    } finally {
      await pool.end();
      await admin.end();
      await own.drop();
    }
  });
});

describe('metrics', () => {
  it('say that the database is away, and nothing that only it knows', async () => {
    const engine = await launch({});
    const name = new URL(database.adminUrl).pathname.slice(1);
    const server = new pg.Client(withDatabase(database.adminUrl, 'postgres'));
    await server.connect();
    try {
      await server.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
      await server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
      const text = await eventually('the metrics say so', async () => {
        const answer = await (await fetch(`${engine.url}/metrics`)).text();
        return answer.includes('\nconductor_database_up 0\n') && answer;
      });
      expect(text).not.toMatch(/^conductor_(inbox_depth|unowned_shards|relay_lag_seconds) /m);
      expect(text).toMatch(/^conductor_task_queue_depth 0$/m);
      await server.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await eventually('the metrics are whole again', async () => {
        const answer = await (await fetch(`${engine.url}/metrics`)).text();
        return /^conductor_database_up 1$/m.test(answer) && /^conductor_inbox_depth 0$/m.test(answer);
      });
    } finally {
      await server.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await server.end();
    }
  });

  it('are served as Prometheus reads them, with the types of the catalogue and bounded labels', async () => {
    // No lease runs out meanwhile, however slow the machine: shards are taken over once.
    const engine = await launch({ OPENCONDUCTOR_LEASE_TTL_MS: '60000' });
    await publish(engine, chain('counted', step('a', 'one'), step('b', 'two')));
    await publish(engine, chain('counted-fails', step('a', 'one', { fail: true })));
    await closed(engine, await start(engine, 'counted'));
    const failed = await closed(engine, await start(engine, 'counted-fails'));
    expect(failed).toMatchObject({ status: 'failed', traceId: null });

    const response = await fetch(`${engine.url}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const text = await response.text();
    const families = new Map(parsePrometheus(text).map((family) => [family.name, family]));
    for (const [name, { type, help }] of Object.entries(METRICS))
      expect(families.get(name), name).toMatchObject({ type: type.toUpperCase(), help });
    // The parser joins the series of a histogram whatever their labels; without the types it keeps them apart.
    const series = parsePrometheus(text.replaceAll(/^# TYPE .*\n/gm, ''));
    const value = (name: string, labels: Record<string, string> = {}) => {
      const matching = series
        .filter((family) => family.name === name)
        .flatMap((family) => family.metrics)
        .filter((metric) =>
          Object.entries(labels).every(([label, wanted]) => metric.labels?.[label] === wanted),
        );
      return matching.reduce((sum, metric) => sum + Number(metric.value), 0);
    };
    expect(value('conductor_workflow_created_total', { workflow: 'counted' })).toBe(1);
    expect(
      value('conductor_workflow_completed_seconds_count', { workflow: 'counted', status: 'completed' }),
    ).toBe(1);
    expect(value('conductor_workflow_failed_total', { workflow: 'counted-fails', status: 'failed' })).toBe(1);
    expect(value('conductor_task_queue_depth')).toBe(0);
    expect(value('conductor_task_execution_seconds_count', { kind: 'mcp', outcome: 'completed' })).toBe(2);
    expect(value('conductor_mcp_tool_calls_total', { server: 'one', tool: 'note' })).toBe(2);
    expect(value('conductor_mcp_tool_errors_total', { server: 'one', outcome: 'tool_error' })).toBe(1);

    expect(value('conductor_mcp_tool_call_seconds_count', { server: 'two', outcome: 'ok' })).toBe(1);
    expect(value('conductor_mcp_breaker_state', { server: 'one' })).toBe(0);
    expect(value('conductor_held_shards')).toBe(64);
    expect(value('conductor_engine_takeovers_total')).toBe(64);
    expect(value('conductor_unowned_shards')).toBe(0);
    expect(value('conductor_engine_processes')).toBe(1);
    expect(value('conductor_database_up')).toBe(1);
    expect(value('conductor_inbox_depth')).toBe(0);
    expect(value('conductor_engine_commit_parts_count')).toBeGreaterThan(3);
    expect(value('conductor_database_connections', { pool: 'engine', state: 'waiting' })).toBe(0);
    expect(
      value('conductor_http_request_seconds_count', { method: 'POST', route: '/api/v1/runs', status: '2xx' }),
    ).toBe(2);
    expect(value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  });
});
