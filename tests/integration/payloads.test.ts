import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

/** Bytes as tests/fixtures/mcp-servers/media-server.mjs makes them. */
function bytes(length: number): Buffer {
  const body = Buffer.alloc(length);
  for (let i = 0; i < length; i++) body[i] = (i * 7 + (i >> 8)) & 255;
  return body;
}

const sha256 = (body: Buffer | string) => createHash('sha256').update(body).digest('hex');
const call = (id: string, tool: string, args: object) => ({
  id,
  kind: 'mcp-server',
  server: 'media',
  tool,
  arguments: args,
});

/** Looks at a picture that it makes itself, then waits, then looks at it again. */
const gallery = {
  schemaVersion: 1,
  name: 'gallery',
  nodes: [
    call('make', 'picture', { size: '${input.size}' }),
    call('look', 'digest', { data: '${make.output.content[1].data}' }),
    { id: 'hold', kind: 'wait', signal: 'go' },
    call('again', 'digest', { data: '${make.output.content[1].data}' }),
  ],
  edges: [
    { from: 'make', to: 'look' },
    { from: 'look', to: 'hold' },
    { from: 'hold', to: 'again' },
  ],
  output: { seen: '${again.output.text}', picture: '${make.output.content[1]}' },
};
const novel = {
  schemaVersion: 1,
  name: 'novel',
  nodes: [
    call('write', 'novel', { size: '${input.size}' }),
    { id: 'measure', kind: 'transform', output: { size: '${size(write.output.text)}' } },
  ],
  edges: [{ from: 'write', to: 'measure' }],
  output: { size: '${measure.output.size}' },
};
const parent = {
  schemaVersion: 1,
  name: 'framing',
  nodes: [
    { id: 'child', kind: 'subworkflow', workflow: 'quick-picture', input: { size: '${input.size}' } },
    call('look', 'digest', { data: '${child.output.picture.data}' }),
  ],
  edges: [{ from: 'child', to: 'look' }],
  output: { seen: '${look.output.text}' },
};
const quick = {
  schemaVersion: 1,
  name: 'quick-picture',
  nodes: [call('make', 'picture', { size: '${input.size}' })],
  edges: [],
  output: { picture: '${make.output.content[1]}' },
};
const breaking = {
  schemaVersion: 1,
  name: 'breaking',
  nodes: [
    call('make', 'picture', { size: 100000 }),
    { id: 'hold', kind: 'wait', signal: 'go', timeout: '1s' },
    call('look', 'digest', { data: '${make.output.content[1].data}' }),
  ],
  edges: [
    { from: 'make', to: 'hold' },
    { from: 'hold', to: 'look' },
  ],
};

describe('large parts of tools’ answers', () => {
  let database: TestDatabase;
  let sql: pg.Client;
  let engine: EngineProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
    const script = resolve(import.meta.dirname, '../fixtures/mcp-servers/media-server.mjs');
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: { media: { command: 'node', args: [script] } },
      env: { OPENCONDUCTOR_MAX_MESSAGE_BYTES: String(4 << 20) },
    });
    for (const definition of [gallery, novel, quick, parent, breaking]) {
      const { status, body } = await engine.request('POST', '/api/v1/workflows', definition);
      expect([status, body.problems]).toEqual([201, undefined]);
    }
  });
  afterAll(async () => {
    await engine.end();
    await engine.removeData();
    await sql.end();
    await database.drop();
  });

  const start = async (workflow: string, input: object) => {
    const { status, body } = await engine.request('POST', '/api/v1/runs', { workflow, input });
    expect(status).toBe(201);
    return body.runId as string;
  };
  const closed = (runId: string) =>
    eventually('the run closes', async () => {
      const { body } = await engine.request('GET', `/api/v1/runs/${runId}`);
      return body.closedAt !== null && body;
    });

  it('lie apart, are given to the next tool whole, and can be downloaded', async () => {
    const size = 1_500_000;
    const runId = await start('gallery', { size });
    await eventually('it waits', async () => {
      const { body } = await engine.request('GET', `/api/v1/runs/${runId}`);
      return body.nodes.some(
        (node: { path: string; status: string }) => node.path === 'hold' && node.status === 'waiting',
      );
    });
    await engine.request('POST', `/api/v1/runs/${runId}/signal`, { name: 'go' });
    const run = await closed(runId);
    expect(run.failure).toBeNull();
    const data = bytes(size).toString('base64');
    expect(run.output.seen).toBe(`${data.length} ${sha256(data).slice(0, 16)}`);
    const reference = run.output.picture.data.$payload;
    expect(reference).toEqual({
      sha256: sha256(bytes(size)),
      bytes: size,
      mimeType: 'image/png',
      encoding: 'base64',
    });
    const { rows } = await sql.query<{ n: number }>(
      'SELECT sum(octet_length(data::text))::int AS n FROM workflow_event WHERE run_id = $1',
      [runId],
    );
    expect(rows[0]?.n).toBeLessThan(20_000);

    const path = `/api/v1/runs/${runId}/payloads/${reference.sha256}`;
    const answer = await fetch(engine.url + path);
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes(size))).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(size),
      'x-content-type-options': 'nosniff',
      'content-disposition': `inline; filename="payload-${reference.sha256.slice(0, 12)}.png"`,
    });
  });

  it('a page of a tool is saved, never shown; unknown contents and wrong names are told', async () => {
    const { body: made } = await engine.request('POST', '/api/v1/workflows', {
      schemaVersion: 1,
      name: 'page',
      nodes: [call('make', 'page', { size: 70_000 })],
      edges: [],
    });
    expect(made.name).toBe('page');
    const runId = await start('page', {});
    await closed(runId);
    const hash = sha256(bytes(70_000));
    const answer = await fetch(`${engine.url}/api/v1/runs/${runId}/payloads/${hash}`);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment;/);
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    await answer.arrayBuffer();
    const unknown = await engine.request('GET', `/api/v1/runs/${runId}/payloads/${'0'.repeat(64)}`);
    expect([unknown.status, unknown.body.code]).toEqual([404, 'PAYLOAD_NOT_FOUND']);
    const wrong = await engine.request('GET', `/api/v1/runs/${runId}/payloads/..%2f`);
    expect([wrong.status, wrong.body.code]).toEqual([400, 'INVALID_INPUT']);
  });

  it('a long text stays usable in expressions: only its second copy lies apart', async () => {
    const run = await closed(await start('novel', { size: 200_000 }));
    expect(run.output).toEqual({ size: 100_000 });
    const write = run.nodes.find((node: { path: string }) => node.path === 'write');
    expect(write.output.text).toHaveLength(100_000);
    expect(write.output.content[0].text.$payload).toMatchObject({ bytes: 200_000, encoding: 'utf8' });
  });

  it('go with a child’s result to its parent, and with kept results to a retry', async () => {
    const data = bytes(90_000).toString('base64');
    const framed = await closed(await start('framing', { size: 90_000 }));
    expect(framed.output).toEqual({ seen: `${data.length} ${sha256(data).slice(0, 16)}` });

    const first = await start('breaking', {});
    expect((await closed(first)).status).toBe('failed');
    const { body } = await engine.request('POST', `/api/v1/runs/${first}/retry`, {});
    await closed(body.runId);
    const { rows } = await sql.query('SELECT sha256 FROM workflow_payload WHERE run_id = $1', [body.runId]);
    expect(rows).toEqual([{ sha256: sha256(bytes(100_000)) }]);
  });

  it('a message over the limit fails its step with a code, and nothing of it is kept', async () => {
    const run = await closed(await start('gallery', { size: 4 << 20 }));
    expect(run.failure).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', nodePath: 'make' });
    const { rows } = await sql.query('SELECT 1 FROM workflow_payload WHERE run_id = $1', [run.runId]);
    expect(rows).toEqual([]);
  });
});
