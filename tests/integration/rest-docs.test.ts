import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';

/** A session of the document: what is typed, and what it prints (`…` = anything). */
interface Session {
  script: string;
  printed: string;
}

const BLOCKS = /```sh\n([\s\S]*?)```\n+```text\n([\s\S]*?)```/g;
const MARK = '---- end of session ----';

function sessionsOf(markdown: string): Session[] {
  return [...markdown.matchAll(BLOCKS)].map((match) => ({ script: match[1] ?? '', printed: match[2] ?? '' }));
}

/** The expected text as a pattern: `…` stands for anything, everything else for itself. */
function pattern(printed: string): RegExp {
  const parts = printed
    .trim()
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*?')}$`);
}

describe('docs/api.md', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let folder: string;
  let sessions: Session[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oc-docs-'));
    database = await createTestDatabase();
    engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {} });
    sessions = sessionsOf(await readFile(resolve(import.meta.dirname, '../../docs/api.md'), 'utf8'));
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has sessions that print what it says, run one after another in one shell', async () => {
    expect(sessions.length).toBeGreaterThan(12);
    const script = sessions.map((session) => `${session.script}\nprintf '\\n%s\\n' '${MARK}'\n`).join('');
    const shell = spawnSync('bash', ['--norc', '-eu', '-c', script], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        OPENCONDUCTOR_URL: engine.url,
      } as unknown as NodeJS.ProcessEnv,
    });
    expect(shell.stderr).toBe('');
    const printed = shell.stdout.split(`\n${MARK}\n`);
    sessions.forEach((session, i) => {
      expect(printed[i]?.trim(), session.script).toMatch(pattern(session.printed));
    });
    expect(shell.status).toBe(0);
  });

  it('names only addresses that the API has', async () => {
    const text = await readFile(resolve(import.meta.dirname, '../../docs/api.md'), 'utf8');
    const { body } = await engine.request('GET', '/api/v1/openapi.json');
    const patterns = Object.keys(body.paths).map(
      (path) => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
    );
    const named = [...text.matchAll(/\$OC(\/api\/v1[^"?]*)/g)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(15);
    for (const path of named)
      expect(
        patterns.some((one) => one.test(path)),
        path,
      ).toBe(true);
  });
});
