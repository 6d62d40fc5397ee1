import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATION_COMMANDS } from '@/lib/commands/operations';
import { COMMANDS, type CommandName } from '@/lib/commands/registry';
import { tokenize } from '@/lib/commands/tokens';
import { ROLES } from '@/lib/protocol/actor';
import { type Permission, permissionsOf, withImplied } from '@/lib/protocol/permissions';
import { runCli } from '@/server/cli/run-cli';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { keyOfRole, newOrganization } from '../support/role-keys';
import { plainWorkflow } from './rest-cases/definitions';

const KEEPER = withImplied(['secrets:write', 'alerts:write']);
/** Weakest first: what the stronger ones remove is made anew for the next. */
const EVERY_ROLE = ['keeper', ...ROLES];

/** Commands that are made of the operations of others: the permission that these need. */
const COMPOSED: Partial<Record<CommandName, Permission>> = {
  'run watch': 'executions:read',
  'view show': 'views:read',
  'workflow export': 'workflows:read',
  'workflow starters': 'workflows:read',
  'workflow starter': 'workflows:read',
  'settings get': 'settings:read',
  'view unshare': 'views:share',
  'view restrict': 'views:share',
  'view unrestrict': 'views:share',
  'workflow unshare': 'workflows:share',
  'workflow restrict': 'workflows:share',
  'workflow unrestrict': 'workflows:share',
};

/** Commands that ask the server nothing that belongs to anybody, and why. */
const LOCAL: Partial<Record<CommandName, string>> = {
  'profile add': 'Writes the configuration of whoever types it.',
  'profile list': 'Reads the configuration of whoever types it.',
  'profile show': 'Reads the configuration of whoever types it.',
  'profile use': 'Writes the configuration of whoever types it.',
  'profile remove': 'Writes the configuration of whoever types it.',
  backup: 'Speaks to the database, with the password of its administrator.',
  restore: 'Speaks to the database, with the password of its administrator.',
  start: 'Starts a process on this machine.',
  health: 'Asks only whether the process is alive, which is no secret.',
  help: 'Is text of the program.',
  version: 'Is text of the program; that of the server is asked of /health.',
  completion: 'Is text of the program.',
  top: 'Needs a terminal; reads what `run list` and `events` read, with the same requests.',
};

/** Every command × every role, asked of a real server with a real key. */
describe('the table of permissions, held against every command of the command line', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let auth: pg.Client;
  let folder: string;
  const keys = new Map<string, string>();
  const real: Record<string, string> = {};

  const ask = (method: string, path: string, body?: unknown) =>
    engine.request(method, `/api/v1${path}`, body, { authorization: `Bearer ${keys.get('owner')}` });

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'oc-cli-matrix-'));
    await writeFile(join(folder, 'my-flow.yaml'), JSON.stringify(plainWorkflow('my-flow')));
    await writeFile(join(folder, 'key.txt'), 'value');
    await writeFile(join(folder, 'mcp.json'), JSON.stringify({ mcpServers: {} }));
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: {
        OPENCONDUCTOR_AUTH: 'required',
        OPENCONDUCTOR_RATE_LIMIT: '0',
        OPENCONDUCTOR_PROBE_INTERVAL_MS: '0',
      },
    });
    auth = new pg.Client(database.url('oc_auth'));
    await auth.connect();
    const organizationId = await newOrganization(auth, 'matrix');
    await auth.query(
      `INSERT INTO organization_role (organization_id, name, permissions) VALUES ($1, 'keeper', $2)`,
      [organizationId, KEEPER],
    );
    for (const role of EVERY_ROLE) keys.set(role, await keyOfRole(auth, organizationId, role));
    for (const name of ['ada', 'ann'])
      await auth.query(
        `WITH made AS (INSERT INTO app_user (id, name, email) VALUES (gen_random_uuid(), $1, $2) RETURNING id)
         INSERT INTO member (id, organization_id, user_id, role) SELECT gen_random_uuid(), $3, id, 'viewer' FROM made`,
        [name, `${name}@example.com`, organizationId],
      );
  });
  afterAll(async () => {
    await auth.end();
    await engine.end('SIGTERM');
    await engine.removeData();
    await rm(folder, { recursive: true, force: true });
    await database.drop();
  });

  /** What the examples of the registry name, so that no command ends before it asks for its own operation. */
  const furnish = async () => {
    for (const name of ['document-pipeline', 'nightly']) await ask('POST', '/workflows', plainWorkflow(name));
    for (const name of ['Payments', 'ops']) await ask('POST', '/teams', { name });
    await ask('POST', '/views', { name: 'failures', filters: { status: ['failed'] }, shared: true });
    const config = { type: 'stdio', command: 'node', args: ['nothing.mjs'] };
    for (const name of ['weather', 'filesystem', 'memory']) await ask('POST', '/servers', { name, config });
    await ask('POST', '/schedules', { name: 'nightly', workflow: 'document-pipeline', cron: '0 3 * * *' });
    await ask('POST', '/webhooks/in', {
      name: 'orders',
      action: { kind: 'start', workflow: 'document-pipeline' },
    });
    await ask('POST', '/webhooks/out', { name: 'ops', url: 'https://hooks.example.com/oc' });
    await ask('PUT', '/secrets/WEATHER_KEY', { value: 'v' });
    for (const object of ['workflow share nightly', 'view share failures'])
      await run(`${object} --with user:ann@example.com --level read`.split(' '), keys.get('owner'));
    real.run = (await ask('POST', '/runs', { workflow: 'document-pipeline' })).body.runId;
    real.key = (await ask('POST', '/api-keys', { name: 'x' })).body.id;
  };

  const wordsOf = (line: string): string[] => {
    // Errors are read as JSON, whatever form the example asks for. A key that would be stronger than its owner is another refusal.
    const plain = line
      .replace(/ --(output|format) (yaml|json|csv)/, '')
      .replace('--scope workflows:execute', '--scope about:read');
    const cut = tokenize(plain);
    if (!cut.ok) throw new Error(line);
    return cut.tokens.map(({ text: word }) =>
      word === '0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10'
        ? (real.run ?? '')
        : word === '0f8c'
          ? (real.key ?? '')
          : word.endsWith('mcp.json')
            ? 'mcp.json'
            : word,
    );
  };

  const run = async (words: readonly string[], apiKey: string | undefined, isAllowed = false) => {
    let err = '';
    const sink = (write: (text: string) => void) => ({ write, isTTY: false, columns: 0 });
    const interrupt = new AbortController();
    // A command that follows what happens goes on until it is stopped; a refusal is waited for, however slow the machine.
    const follows = words.includes('--follow') || words[1] === 'watch';
    const timer = setTimeout(() => interrupt.abort(), follows && isAllowed ? 3_000 : 60_000);
    const code = await runCli({
      argv: [...words.filter((word) => word !== '--json' && word !== '--yes'), '--json', '--yes'],
      out: sink(() => undefined),
      err: sink((text) => {
        err += text;
      }),
      input: { stdin: (async function* () {})(), stdinIsTTY: false, workingDir: folder },
      interrupt: interrupt.signal,
      readEnvironment: () => ({
        url: engine.url,
        apiKey,
        profile: undefined,
        configDir: folder,
        dataDir: folder,
        host: '127.0.0.1',
        port: 0,
        noColor: true,
        dumb: true,
        workingDir: undefined,
      }),
      root: undefined,
      ask: async () => 'y',
    });
    clearTimeout(timer);
    return { code, err, error: /"code":"([A-Z_]+)"/.exec(err)?.[1] };
  };

  /** The permission that a command needs; undefined for those that are local. */
  const needs = (name: CommandName): Permission | undefined => {
    const known = COMPOSED[name] ?? COMBINED[name];
    if (known !== undefined) return known;
    const ids = Object.entries(OPERATION_COMMANDS).filter(([, reach]) => 'by' in reach && reach.by === name);
    const found = [...new Set(ids.map(([id]) => permissionOf.get(id)))];
    return found.length === 1 ? found[0] : undefined;
  };
  const permissionOf = new Map<string, Permission>();
  /** Commands with several operations that need different permissions: the one of what they do in their example. */
  const COMBINED: Partial<Record<CommandName, Permission>> = {
    'server edit': 'servers:manage',
    // Of one's own data it needs nothing; the example is about somebody else's.
    'user erase': 'users:manage',
    'secret list': 'secrets:read',
    'secret set': 'secrets:write',
    'secret remove': 'secrets:write',
  };

  it('every command × every role: allowed, or FORBIDDEN with its exit code, exactly as the table says', async () => {
    const document = await ask('GET', '/openapi.json');
    type Paths = Record<string, Record<string, { operationId?: string; 'x-permission'?: Permission }>>;
    for (const methods of Object.values(document.body.paths as Paths)) {
      for (const { operationId, 'x-permission': permission } of Object.values(methods))
        if (operationId && permission) permissionOf.set(operationId, permission);
    }
    const wrong: string[] = [];
    let asked = 0;
    for (const role of EVERY_ROLE) {
      const mine =
        role === 'keeper' ? new Set<Permission>(KEEPER) : permissionsOf(role as (typeof ROLES)[number]);
      await furnish();
      for (const command of COMMANDS) {
        const name = command.name as CommandName;
        if (LOCAL[name] !== undefined) continue;
        const permission = needs(name);
        if (permission === undefined) {
          wrong.push(`${name}: it is not known which permission it needs`);
          continue;
        }
        const { code, error, err } = await run(
          wordsOf(command.examples[0].line),
          keys.get(role),
          mine.has(permission),
        );
        asked += 1;
        const refused = error === 'FORBIDDEN';
        if (refused === mine.has(permission) || error === 'UNAUTHENTICATED' || (refused && code !== 2))
          wrong.push(
            `${name} as ${role}: exit ${code} ${error ?? ''}; it needs ${permission} ${err.slice(0, 150)}`,
          );
      }
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(450);
  });

  it('every command without a key is refused, and says what to do', async () => {
    for (const command of COMMANDS) {
      if (LOCAL[command.name] !== undefined) continue;
      const { code, error } = await run(wordsOf(command.examples[0].line), undefined);
      expect(error, command.name).toBe('UNAUTHENTICATED');
      expect(code, command.name).toBe(2);
    }
  });

  it('no reason is left for a command that is not there, or that asks an operation', () => {
    const names = new Set<string>(COMMANDS.map(({ name }) => name));
    const reached = new Set(
      Object.values(OPERATION_COMMANDS).flatMap((reach) => ('by' in reach ? [reach.by] : [])),
    );
    for (const name of [...Object.keys(LOCAL), ...Object.keys(COMPOSED)]) {
      expect(names.has(name), name).toBe(true);
      expect(reached.has(name as CommandName), name).toBe(false);
    }
  });
});
