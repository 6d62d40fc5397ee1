import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { ApiDocument } from '../support/openapi';
import { randomRequest } from '../support/random-request';
import type { Answer, Cases, World } from './rest-cases/case';
import { ASKING, plainWorkflow, SLOW, WAITING } from './rest-cases/definitions';
import { fleetCases } from './rest-cases/fleet';
import { identityCases } from './rest-cases/identity';
import { jobCases } from './rest-cases/jobs';
import { preferenceCases } from './rest-cases/preferences';
import { runCases } from './rest-cases/runs';
import { serverCases } from './rest-cases/servers';
import { webhookCases } from './rest-cases/webhooks';
import { workflowCases } from './rest-cases/workflows';
import { send, worldOf } from './rest-cases/world';

const CASES: Cases = {
  ...identityCases,
  ...workflowCases,
  ...runCases,
  ...serverCases,
  ...fleetCases,
  ...jobCases,
  ...preferenceCases,
  ...webhookCases,
};
/** Random requests for each operation. */
const TRIES = Number(process.env.OPENCONDUCTOR_TEST_TRIES ?? 40);
const SEED = Number(process.env.OPENCONDUCTOR_TEST_SEED ?? 20_261_120);

const fixture = resolve(import.meta.dirname, '../fixtures/mcp-servers/slow-server.mjs');

describe('the REST API does what its OpenAPI document says', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let document: ApiDocument;
  let world: World;

  beforeAll(async () => {
    database = await createTestDatabase();
    const LOG_FILE = join(tmpdir(), `rest-contract-${randomUUID()}.jsonl`);
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: { slow: { command: 'node', args: [fixture], env: { LOG_FILE } } },
      env: { OPENCONDUCTOR_NETWORKS: 'public,loopback' },
    });
    document = await ApiDocument.read(engine);
    world = worldOf(engine, database.url('oc_auth'));
    for (const definition of [plainWorkflow('plain'), WAITING, ASKING, SLOW]) {
      const { status, body } = await world.ask('POST', '/api/v1/workflows', definition);
      expect(status, JSON.stringify(body)).toBe(201);
    }
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  it('is an OpenAPI 3.1 document whose references all lead somewhere', () => {
    expect(document.document.openapi).toBe('3.1.0');
    expect(document.operations.length).toBeGreaterThan(30);
    const ids = document.operations.map((of) => of.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const references = [...JSON.stringify(document.document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      (match) => match[1],
    );
    const known = new Set(
      Object.keys(document.document.components.schemas).map((name) => `#/components/schemas/${name}`),
    );
    expect(references.filter((reference) => !known.has(reference ?? ''))).toEqual([]);
    for (const of of document.operations) {
      const good = Object.keys(of.responses).filter((status) => Number(status) < 300);
      expect(good.length, of.operationId).toBeGreaterThan(0);
      expect(
        Object.keys(of.responses).some((status) => Number(status) >= 400),
        of.operationId,
      ).toBe(true);
    }
  });

  it('has a case of success and one of error for every operation, and no case too many', () => {
    expect(Object.keys(CASES).sort()).toEqual(document.operations.map((of) => of.operationId).sort());
  });

  describe.each(Object.entries(CASES))('%s', (operationId, { success, failure }) => {
    const check = (answer: Answer) =>
      document.faults(
        document.operation(operationId),
        answer.status,
        answer.headers.get('content-type'),
        answer.body,
      );

    it(`succeeds with ${success.status}`, async () => {
      const answer = await success.ask(world);
      expect(answer.status, JSON.stringify(answer.body)).toBe(success.status);
      expect(check(answer)).toEqual([]);
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    });

    it(`fails with ${failure.status} ${failure.code}`, async () => {
      const answer = await failure.ask(world);
      expect(answer.body).toMatchObject({ status: failure.status, code: failure.code });
      expect(answer.status).toBe(failure.status);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(check(answer)).toEqual([]);
    });
  });

  it('answers random input without an error of its own, and only as documented', async () => {
    const ids = {
      runId: [await world.start('waiting'), await world.start('asking'), await world.start('plain')],
      name: ['plain', 'slow', 'waiting'],
    };
    for (const of of document.operations) {
      await fc.assert(
        fc.asyncProperty(randomRequest(of, document, ids), async (request) => {
          const answer = await send(engine.url, request);
          expect(
            answer.status,
            `${request.method} ${request.path}\n${request.body}\n${JSON.stringify(answer.body)}`,
          ).toBeLessThan(500);
          if (answer.isStream) return;
          const faults = document.faults(of, answer.status, answer.headers.get('content-type'), answer.body);
          expect(faults, `${request.method} ${request.path}\n${request.body}`).toEqual([]);
        }),
        { numRuns: TRIES, seed: SEED },
      );
    }
    expect(engine.child.exitCode).toBeNull();
  }, 300_000);

  it('serves a page to browse it, that needs nothing from elsewhere', async () => {
    const response = await fetch(`${engine.url}/api/docs`);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const page = await response.text();
    for (const of of document.operations) expect(page).toContain(`id="${of.operationId}"`);
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(50);
    for (const link of new Set(links)) expect(page).toContain(`id="${link}"`);
  });
});
