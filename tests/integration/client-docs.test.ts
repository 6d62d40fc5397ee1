import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle } from '../../scripts/lib/bundle.mjs';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';

const root = resolve(import.meta.dirname, '../..');
let database: TestDatabase;
let engine: EngineProcess;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oc-client-docs-'));
  database = await createTestDatabase();
  engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {} });
});
afterAll(async () => {
  await engine.end('SIGTERM');
  await engine.removeData();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

it('the example of the typed client in docs/api.md prints what it says', async () => {
  const docs = await readFile(join(root, 'docs/api.md'), 'utf8');
  const [, source = '', printed = ''] = /```ts\n([\s\S]*?)```\n+```text\n([\s\S]*?)```/.exec(docs) ?? [];
  const entry = join(folder, 'example.ts');
  await writeFile(entry, source);
  // Inside the clone, so that Node finds the packages of the bundle.
  const outfile = join(root, 'node_modules/.cache/openconductor/tests', `client-docs.${process.pid}.mjs`);
  await bundle({ entry, outfile });
  const run = spawnSync(process.execPath, [outfile], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env.PATH, OPENCONDUCTOR_URL: engine.url } as unknown as NodeJS.ProcessEnv,
  });
  await rm(outfile, { force: true });
  await rm(`${outfile}.map`, { force: true });
  expect(run.stderr).toBe('');
  const lines = run.stdout.trim().split('\n');
  const expected = printed.trim().split('\n');
  expect(lines[0]).toBe(expected[0]);
  expect(lines.at(-1)).toBe(expected.at(-1));
  expect(lines.length).toBeGreaterThan(3);
});
