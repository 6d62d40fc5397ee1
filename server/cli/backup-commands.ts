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

/** Which database it would work on. */
interface Place {
  place: string;
}

type Line<T> = { progress?: string; result?: T; problem?: string };

const COLUMNS: readonly Column<Done>[] = [
  { title: 'FILE', value: (row) => row.file },
  { title: 'CREATED', value: (row) => row.createdAt },
  { title: 'VERSION', value: (row) => row.version },
  { title: 'TABLES', value: (row) => row.tables, right: true },
  { title: 'ROWS', value: (row) => row.rows, right: true },
];

/** `backup` */
export async function backupDatabase(args: ArgsOf<typeof backup>, context: CliContext): Promise<number> {
  checkLocal('backup', context);
  const done = await work<Done>('backup', ['backup', fileOf(args.file, context)], context);
  return told(done, 'Backup written', context);
}

/** `restore`: --replace asks, and where nobody can be asked it wants --yes. */
export async function restoreDatabase(args: ArgsOf<typeof restore>, context: CliContext): Promise<number> {
  const { globals, interactive, output } = context;
  checkLocal('restore', context);
  if (args.replace && !globals.yes) {
    if (!interactive) {
      throw badInput('INVALID_INPUT', '--replace deletes what the database holds now.', {
        path: '--replace',
        next: 'Give --yes as well if that is meant.',
      });
    }
    const { place } = await work<Place>('restore', ['place'], context);
    if (!(await context.confirm(`Delete everything that ${place} holds now, and restore the backup?`))) {
      output.note('warn', '⚠', 'Nothing was done');
      return EXIT.failed;
    }
  }
  const words = ['restore', fileOf(args.file, context), ...(args.replace ? ['--replace'] : [])];
  const done = await work<Done>('restore', words, context);
  return told(done, 'Backup restored', context);
}

function fileOf(file: string, { input }: CliContext): string {
  return resolve(input.workingDir, file);
}

/** Another instance cannot be meant: whoever names one would back up, or wipe, the database of this machine. */
function checkLocal(verb: string, { globals }: CliContext): void {
  const flag = globals.profile !== undefined ? '--profile' : '--url';
  if (globals.profile === undefined && globals.url === undefined) return;
  throw badInput('INVALID_INPUT', `${verb} works on a database, not on the instance that ${flag} names.`, {
    path: flag,
    next: 'Leave it out: the database is that of DATABASE_URL, else the embedded one of OPENCONDUCTOR_DATA_DIR.',
  });
}

/** Runs the script and tells its progress. @throws CliError with what it says went wrong */
async function work<T>(command: string, words: string[], context: CliContext): Promise<T> {
  const { root, output, interrupt } = context;
  if (root === undefined) {
    throw badInput('INVALID_INPUT', 'This program does not lie in a copy of the OpenConductor repository.', {
      next: 'Run `npm run oc -- backup FILE` or `… restore FILE` in the folder of the repository.',
    });
  }
  const script = join(root, 'scripts', 'database-file.mjs');
  const child = spawn(process.execPath, [script, ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((done, fail) => {
    child.once('error', fail);
    child.once('close', () => done());
  });
  context.endAfter(ended);
  const stop = () => child.kill('SIGTERM');
  interrupt.addEventListener('abort', stop, { once: true });
  if (interrupt.aborted) stop();
  let last: Line<T> = {};
  for await (const text of createInterface({ input: child.stdout })) {
    last = JSON.parse(text) as Line<T>;
    if (last.progress !== undefined) output.note('dim', '·', last.progress);
  }
  await ended;
  interrupt.removeEventListener('abort', stop);
  if (last.result !== undefined) return last.result;
  const message = last.problem ?? `The ${command} ended early.`;
  // An interrupted command says nothing by itself.
  if (interrupt.aborted) output.note('warn', '⚠', message);
  throw new CliError(`${command.toUpperCase()}_FAILED`, message, { exit: EXIT.failed });
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
