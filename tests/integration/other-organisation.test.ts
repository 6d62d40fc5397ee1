import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { ApiDocument } from '../support/openapi';
import { keyOfRole, newOrganization } from '../support/role-keys';
import type { Answer, Cases, World } from './rest-cases/case';
import { ASKING, plainWorkflow, SLOW, WAITING } from './rest-cases/definitions';
import { worldOf } from './rest-cases/world';

const UNSCOPED = pathToFileURL(resolve(import.meta.dirname, '../fixtures/attacks/unscoped.mjs')).href;
const fixture = resolve(import.meta.dirname, '../fixtures/mcp-servers/slow-server.mjs');

/** Operations that make something under a name: in the other organisation the name is free, and what is made is its own. */
const NAMES_OF_ONES_OWN = ['putRole', 'setSecret', 'setMySecret', 'putWorkflow'];

/** Strangers come here without belonging anywhere: a signature is what lets them in. */
const OPEN = ['receiveWebhook'];

/**
 * Every operation on an object that another organisation really has. The cases of the REST contract make the objects; just before each of
 * them asks for its own operation, the owner of another organisation asks for the very same. That is not found, and because the case
 * succeeds right afterwards, nothing was changed by it.
 */
describe.each([
  ['as it is built', false],
  ['in a build whose repositories ask for no organisation: row-level security alone', true],
])('what another organisation has, %s', (_how, isUnscoped) => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let document: ApiDocument;
  let auth: pg.Client;
  let mine: World;
  let theirs: World;
  const cases: Cases = {};
  const unscopedLog = join(tmpdir(), `unscoped-${randomUUID()}.jsonl`);

  beforeAll(async () => {
    const folder = join(import.meta.dirname, 'rest-cases');
    for (const file of await readdir(folder)) {
      const module = (await import(pathToFileURL(join(folder, file)).href)) as Record<string, unknown>;
      for (const [name, value] of Object.entries(module))
        if (/Cases$/.test(name)) Object.assign(cases, value);
    }
    database = await createTestDatabase();
    const LOG_FILE = join(tmpdir(), `other-organisation-${randomUUID()}.jsonl`);
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: { slow: { command: 'node', args: [fixture], env: { LOG_FILE } } },
      env: {
        OPENCONDUCTOR_AUTH: 'required',
        OPENCONDUCTOR_RATE_LIMIT: '0',
        OPENCONDUCTOR_NETWORKS: 'public,loopback',
        ...(isUnscoped ? { NODE_OPTIONS: `--import ${UNSCOPED}`, UNSCOPED_LOG: unscopedLog } : {}),
      },
    });
    auth = new pg.Client(database.url('oc_auth'));
    await auth.connect();
    const { rows } = await auth.query(`SELECT id FROM organization WHERE slug = 'local'`);
    const world = async (organizationId: string) => {
      const key = await keyOfRole(auth, organizationId, 'owner');
      return worldOf(engine, database.url('oc_auth'), { authorization: `Bearer ${key}` });
    };
    mine = await world(rows[0].id);
    theirs = await world(await newOrganization(auth, 'another'));
    document = await ApiDocument.read({
      ...engine,
      request: async (method: string, path: string) => mine.ask(method, path),
    } as unknown as EngineProcess);
    for (const definition of [plainWorkflow('plain'), WAITING, ASKING, SLOW])
      expect((await mine.ask('POST', '/api/v1/workflows', definition)).status).toBe(201);
  });
  afterAll(async () => {
    await auth.end();
    await engine.end('SIGTERM');
    await engine.removeData();
    await rm(unscopedLog, { force: true });
    await database.drop();
  });

  it('every operation with a name or an id in its path: not found, and untouched', async () => {
    const wrong: string[] = [];
    let asked = 0;
    for (const of of document.operations) {
      const { operationId: id, method, path } = of;
      if (!path.includes('{') || OPEN.includes(id)) continue;
      const one = cases[id];
      if (!one) {
        wrong.push(`${id}: there is no case`);
        continue;
      }
      const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/?]+')}(\\?.*)?$`);
      let others: Answer | undefined;
      const ask: World['ask'] = async (verb, address, body, headers) => {
        if (verb.toLowerCase() === method.toLowerCase() && pattern.test(address)) {
          others = await theirs.ask(verb, address, body, headers);
          asked += 1;
        }
        return mine.ask(verb, address, body, headers);
      };
      const answer = await one.success.ask({ ...mine, ask });
      const found = others as Answer | undefined;
      if (answer.status !== one.success.status)
        wrong.push(`${id}: ${answer.status} after the other has asked: ${JSON.stringify(answer.body)}`);
      if (found === undefined) wrong.push(`${id}: its case never asks for it`);
      else if (NAMES_OF_ONES_OWN.includes(id)) {
        if (found.status >= 500) wrong.push(`${id}: ${found.status}`);
      } else if (found.status !== 404)
        wrong.push(`${id}: ${found.status} ${JSON.stringify(found.body).slice(0, 200)}`);
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(60);
  }, 240_000);

  it('every list: nothing of the other organisation in it', async () => {
    const { rows } = await auth.query('SELECT id, slug FROM organization');
    const local = rows.find(({ slug }) => slug === 'local').id as string;
    const run = await mine.start('plain');
    for (const of of document.operations) {
      if (of.path.includes('{') || of.method.toLowerCase() !== 'get') continue;
      const { status, body } = await theirs.ask('GET', of.path);
      expect(status, of.operationId).toBeLessThan(500);
      const text = JSON.stringify(body) ?? '';
      expect(text, of.operationId).not.toContain(run);
      expect(text, of.operationId).not.toContain(local);
    }
  });

  it.runIf(isUnscoped)(
    'the scoping was really taken out: of reads, changes and deletions, of every kind of table',
    async () => {
      const statements = (await readFile(unscopedLog, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as string);
      expect(statements.length).toBeGreaterThan(50);
      for (const kind of [/^\s*SELECT/i, /UPDATE/i, /DELETE FROM/i])
        expect(statements.filter((text) => kind.test(text)).length, String(kind)).toBeGreaterThan(3);
      for (const table of [
        'workflow_run',
        'workflow_event',
        'workflow_version',
        'schedule',
        'secret',
        'webhook_out',
        'webhook_in',
        'mcp_server',
        'saved_view',
        'audit_entry',
      ])
        expect(
          statements.some((text) => text.includes(table)),
          table,
        ).toBe(true);
    },
  );
});
