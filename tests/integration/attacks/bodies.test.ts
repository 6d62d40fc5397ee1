import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { EngineProcess } from '../../support/engine-process';
import { apiKey, firstOwner, type Visitor } from '../../support/people';
import { sendRaw, statusOf } from '../../support/raw-http';

const LIMIT = 1_000_000;
const MEBIBYTE = Buffer.alloc(1 << 20, 'a');

/** Bodies and heads that are too large, lie about their size, or never end. */
describe('oversized and lying requests', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let olga: Visitor;
  let key: string;

  const head = (path: string, ...lines: string[]) =>
    [`POST ${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${key}`, ...lines, '', ''].join(
      '\r\n',
    );
  const JSON_TYPE = 'Content-Type: application/json';
  /** The places where a body is read: REST, sign-in, a webhook of a stranger. */
  const DOORS = [
    '/api/v1/workflows',
    '/api/auth/sign-in/email',
    '/api/auth/oauth2/token',
    '/api/v1/hooks/nope',
  ];
  const alive = async () => expect((await olga.send('GET', '/api/v1/me')).status).toBe(200);
  const memory = async () => {
    const text = await (
      await fetch(`${engine.url}/metrics`, { headers: { authorization: `Bearer ${key}` } })
    ).text();
    return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
  };
  function* times(count: number, part: string | Buffer) {
    for (let i = 0; i < count; i++) yield part;
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: {
        OPENCONDUCTOR_AUTH: 'required',
        OPENCONDUCTOR_RATE_LIMIT: '0',
        OPENCONDUCTOR_MAX_BODY_BYTES: String(LIMIT),
      },
    });
    olga = await firstOwner(engine);
    key = await apiKey(olga);
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  it.each(DOORS)(
    'oversized body: a Content-Length over the limit is refused before the body has come (%s)',
    async (path) => {
      const answer = await sendRaw(
        engine.url,
        [head(path, JSON_TYPE, `Content-Length: ${LIMIT * 1000}`), '{'],
        (text) => text.includes('\r\n\r\n'),
      );
      expect(answer === '' || statusOf(answer) >= 400, answer.slice(0, 200)).toBe(true);
      await alive();
    },
  );

  it.each(DOORS)(
    'oversized body: a body in chunks without an end is cut off, and memory stays (%s)',
    async (path) => {
      const before = await memory();
      function* endless() {
        yield head(path, JSON_TYPE, 'Transfer-Encoding: chunked');
        for (let i = 0; i < 200; i++) {
          yield `${MEBIBYTE.length.toString(16)}\r\n`;
          yield MEBIBYTE;
          yield '\r\n';
        }
      }
      // Either the line is cut, or it says 4xx; the 200 MiB are never taken in.
      const answer = await sendRaw(engine.url, endless(), (text) => text.includes('\r\n\r\n'));
      expect(answer === '' || statusOf(answer) >= 400, answer.slice(0, 200)).toBe(true);
      expect((await memory()) - before).toBeLessThan(100 * 2 ** 20);
      await alive();
    },
  );

  it('oversized body: more than Content-Length says is not taken for a request of somebody', async () => {
    const smuggled = 'DELETE /api/v1/secrets/KEPT HTTP/1.1\r\nHost: localhost\r\n\r\n';
    await olga.send('PUT', '/api/v1/secrets/KEPT', { value: 'v' });
    const answer = await sendRaw(engine.url, [
      head('/api/v1/runs', JSON_TYPE, 'Content-Length: 2', 'Connection: close'),
      `{}${smuggled}`,
    ]);
    expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
    expect((await olga.send('GET', '/api/v1/secrets')).body.items).toMatchObject([{ name: 'KEPT' }]);
  });

  it('oversized body: two lengths, or a length beside chunks, is refused', async () => {
    for (const lines of [
      ['Content-Length: 2', 'Content-Length: 3'],
      ['Content-Length: 2', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked, identity'],
      ['Content-Length: -1'],
      ['Content-Length: 0x2'],
    ]) {
      const answer = await sendRaw(engine.url, [head('/api/v1/runs', JSON_TYPE, ...lines), '{}\r\n\r\n']);
      expect(statusOf(answer), lines.join()).toBe(400);
    }
    await alive();
  });

  it('oversized body: a caller who promises more than comes holds up nobody else', async () => {
    const held = Array.from({ length: 50 }, () =>
      sendRaw(
        engine.url,
        [head('/api/v1/workflows', JSON_TYPE, 'Content-Length: 1000'), '{"a":'],
        () => false,
      ),
    );
    await alive();
    // They end with the process's own patience, or with the test's process: whichever is first.
    void Promise.allSettled(held);
  });

  it('oversized body: JSON nested a hundred thousand deep is an error of the caller, in every way it can be nested', async () => {
    const depth = 100_000;
    const bodies = [
      '['.repeat(depth) + ']'.repeat(depth),
      `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
      `{"workflow":"x","input":${'['.repeat(depth)}${']'.repeat(depth)}}`,
      '['.repeat(depth),
    ];
    for (const body of bodies) {
      for (const path of ['/api/v1/runs', '/api/v1/workflows', '/api/auth/sign-in/email']) {
        const { status } = await engine.request('POST', path, body, { authorization: `Bearer ${key}` });
        expect([400, 413], path).toContain(status);
      }
    }
    const yaml = `${'[ '.repeat(5_000)}${']'.repeat(5_000)}`;
    const deep = await engine.request('POST', '/api/v1/workflows', yaml, {
      authorization: `Bearer ${key}`,
      'content-type': 'application/yaml',
    });
    expect(deep.status).toBe(400);
    await alive();
  });

  it('oversized body: a compressed bomb is never unpacked', async () => {
    const before = await memory();
    const bomb = gzipSync(Buffer.alloc(200 * 2 ** 20));
    expect(bomb.length).toBeLessThan(LIMIT);
    for (const path of DOORS) {
      const response = await fetch(engine.url + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'content-encoding': 'gzip',
        },
        body: new Uint8Array(bomb),
      });
      expect(response.status, path).toBeGreaterThanOrEqual(400);
      expect(response.status, path).toBeLessThan(500);
    }
    expect((await memory()) - before).toBeLessThan(100 * 2 ** 20);
    await alive();
  });

  it('oversized body: a YAML bomb of aliases is refused', async () => {
    const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    const answer = await engine.request('POST', '/api/v1/workflows', lines.join('\n'), {
      authorization: `Bearer ${key}`,
      'content-type': 'application/yaml',
    });
    expect(answer.body).toMatchObject({ code: 'INVALID_YAML' });
    await alive();
  });

  it('oversized head: thousands of headers, or one of a megabyte, are refused', async () => {
    const many = [...times(10_000, 'X-Many: 1')] as string[];
    const refused = await sendRaw(engine.url, [head('/api/v1/runs', ...many)]);
    expect([0, 400, 431]).toContain(statusOf(refused));
    const long = await sendRaw(engine.url, [head('/api/v1/runs', `X-Long: ${'a'.repeat(1_000_000)}`)]);
    expect([0, 400, 431]).toContain(statusOf(long));
    const address = await sendRaw(engine.url, [head(`/api/v1/runs?${'a'.repeat(1_000_000)}`)]);
    expect([0, 400, 414, 431]).toContain(statusOf(address));
    await alive();
  });
});
