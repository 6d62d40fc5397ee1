import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { helpFor } from '@/lib/commands/help';
import type { help, start } from '@/lib/commands/rows/system';
import type { ArgsOf } from '@/lib/commands/types';
import { badInput, CliError, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import type { Tone } from '@/server/cli/style';
import { clean, timing } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

type Status = 'ok' | 'degraded' | 'down';

const MARKS: Record<Status, { glyph: string; tone: Tone }> = {
  ok: { glyph: '✓', tone: 'ok' },
  degraded: { glyph: '▲', tone: 'warn' },
  down: { glyph: '✕', tone: 'danger' },
};

interface Check {
  name: string;
  status: Status;
  detail: string;
  latencyMs: number | null;
}

const CHECK_COLUMNS: readonly Column<Check>[] = [
  {
    title: 'STATUS',
    value: (row) => row.status,
    show: (row) => `${MARKS[row.status].glyph} ${row.status}`,
    tone: (row) => MARKS[row.status].tone,
  },
  { title: 'PART', value: (row) => row.name },
  {
    title: 'MS',
    value: (row) => (row.latencyMs === null ? null : Math.round(row.latencyMs * 10) / 10),
    right: true,
  },
  { title: 'DETAIL', value: (row) => row.detail },
];

/** `health`: exit code 1 when a part is down. */
export async function showHealth(_args: object, { api, output, baseUrl }: CliContext): Promise<number> {
  const health = await api.deepHealth();
  const url = await baseUrl();
  const rows = Object.entries(health.checks).map(([name, check]) => ({
    name,
    status: check.status,
    detail: check.detail,
    latencyMs: check.latencyMs ?? null,
  }));
  const people = () => {
    const { glyph, tone } = MARKS[health.status];
    output.line(
      `${output.paint(tone, `${glyph} ${health.status}`)}  ${clean(url)}  version ${clean(health.version)}, up ${timing(health.uptimeMs)}`,
    );
    output.table(rows, CHECK_COLUMNS);
  };
  await output.record(health, people, rows, CHECK_COLUMNS);
  return health.status === 'down' ? EXIT.failed : EXIT.ok;
}

/** `help` */
export async function showHelp(args: ArgsOf<typeof help>, { output }: CliContext): Promise<number> {
  const text = helpFor(args.topic ?? [], 'cli');
  if (!text.ok) {
    const near = text.suggestion === undefined ? '' : `Did you mean ${text.suggestion}? `;
    throw badInput('INVALID_INPUT', text.message, {
      path: 'COMMAND',
      next: `${near}See: openconductor help`,
    });
  }
  output.text(text.text);
  return EXIT.ok;
}

/** `version`: of this program, and of the instance when one answers. */
export async function showVersion(_args: object, context: CliContext): Promise<number> {
  const { api, output, baseUrl } = context;
  const own = await ownVersion(context.root);
  const url = await baseUrl();
  const instance = await api.health().then(
    (health) => health.version,
    (error: unknown) => {
      if (error instanceof CliError) return null;
      throw error;
    },
  );
  const row = { version: own, instance, url };
  const people = () => {
    output.line(`openconductor ${own}`);
    output.line(
      instance === null
        ? output.paint('dim', `no instance answers at ${url}`)
        : `instance ${clean(instance)} at ${url}`,
    );
  };
  await output.record(
    row,
    people,
    [row],
    [
      { title: 'VERSION', value: (it) => it.version },
      { title: 'INSTANCE', value: (it) => it.instance },
    ],
  );
  return EXIT.ok;
}

/** `start`: the start script, with the terminal handed over to it. Returns its exit code. */
export async function startInstance(args: ArgsOf<typeof start>, context: CliContext): Promise<number> {
  if (context.root === undefined) {
    throw badInput('INVALID_INPUT', 'This program does not lie in a copy of the OpenConductor repository.', {
      next: 'Run `npm start` in the folder of the repository.',
    });
  }
  const script = join(context.root, 'scripts', 'start.mjs');
  const child = spawn(process.execPath, [script, ...(args.options ?? [])], {
    cwd: context.root,
    stdio: 'inherit',
  });
  // The terminal sends Ctrl-C to the script as well: it alone decides when to stop, and this program waits for it.
  process.removeAllListeners('SIGINT').on('SIGINT', () => undefined);
  process.removeAllListeners('SIGTERM').once('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? (signal === 'SIGINT' ? EXIT.interrupted : EXIT.failed)),
    );
  });
}

async function ownVersion(root: string | undefined): Promise<string> {
  if (root === undefined) return 'unknown';
  const text = await readFile(join(root, 'package.json'), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version ?? 'unknown');
}
