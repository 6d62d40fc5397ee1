import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { backup, restore } from '@/lib/commands/rows/backup';
import type { ArgsOf } from '@/lib/commands/types';
import { badInput, CliError, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import type { Column } from '@/server/cli/table';

/** What the script in scripts/database-file.mjs says when all went well. */
interface Done {
  file: string;
  version: string;
  createdAt: string;
  tables: number;
  rows: number;
}

type Line = { progress?: string; result?: Done; problem?: string };

const COLUMNS: readonly Column<Done>[] = [
  { title: 'FILE', value: (row) => row.file },
  { title: 'CREATED', value: (row) => row.createdAt },
  { title: 'VERSION', value: (row) => row.version },
  { title: 'TABLES', value: (row) => row.tables, right: true },
  { title: 'ROWS', value: (row) => row.rows, right: true },
];

/** `backup` */
export async function backupDatabase(args: ArgsOf<typeof backup>, context: CliContext): Promise<number> {
  const done = await work('backup', args.file, [], context);
  return told(done, 'Backup written', context);
}

/** `restore`: --replace asks, and where nobody can be asked it wants --yes. */
export async function restoreDatabase(args: ArgsOf<typeof restore>, context: CliContext): Promise<number> {
  const { globals, interactive, output } = context;
  if (args.replace && !globals.yes) {
    if (!interactive) {
      throw badInput('INVALID_INPUT', '--replace deletes what the database holds now.', {
        path: '--replace',
        next: 'Give --yes as well if that is meant.',
      });
    }
    if (!(await context.confirm('Delete everything that the database holds now, and restore the backup?'))) {
      output.note('warn', '⚠', 'Nothing was done');
      return EXIT.failed;
    }
  }
  const done = await work('restore', args.file, args.replace ? ['--replace'] : [], context);
  return told(done, 'Backup restored', context);
}

/** Runs the script and tells its progress. @throws CliError with what it says went wrong */
async function work(verb: string, file: string, flags: string[], context: CliContext): Promise<Done> {
  const { root, output, input } = context;
  if (root === undefined) {
    throw badInput('INVALID_INPUT', 'This program does not lie in a copy of the OpenConductor repository.', {
      next: `Run \`npm run oc -- ${verb} FILE\` in the folder of the repository.`,
    });
  }
  const script = join(root, 'scripts', 'database-file.mjs');
  const child = spawn(process.execPath, [script, verb, resolve(input.workingDir, file), ...flags], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((done, fail) => {
    child.once('error', fail);
    child.once('close', () => done());
  });
  let last: Line = {};
  for await (const text of createInterface({ input: child.stdout })) {
    last = JSON.parse(text) as Line;
    if (last.progress !== undefined) output.note('dim', '·', last.progress);
  }
  await ended;
  if (last.result !== undefined) return last.result;
  const message = last.problem ?? `The ${verb} ended early.`;
  throw new CliError(`${verb.toUpperCase()}_FAILED`, message, { exit: EXIT.failed });
}

async function told(done: Done, text: string, { output }: CliContext): Promise<number> {
  const people = () =>
    output.note(
      'ok',
      '✓',
      text,
      `${done.file}: ${done.rows} rows of ${done.tables} tables, as of ${done.createdAt}`,
    );
  await output.record(done, people, [done], COLUMNS);
  return EXIT.ok;
}
