import { setTimeout as sleep } from 'node:timers/promises';
import type { secretRotateKey } from '@/lib/commands/rows/secret';
import type { ArgsOf } from '@/lib/commands/types';
import { type KeyRotationBody, keyRotationSchema } from '@/lib/protocol/api-keys';
import { Interrupted } from '@/server/cli/api-client';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { clean } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

const PATH = '/api/v1/instance/key-rotation';
const POLL_MS = 300;
const QUESTION =
  'Change the key? Backups made before need the one of now: copy it first (secret.key in the data folder, or the variable).';

const COLUMNS: readonly Column<KeyRotationBody>[] = [
  { title: 'KEY', value: (row) => row.activeKey },
  { title: 'FROM', value: (row) => row.source },
  {
    title: 'ROTATION',
    value: (row) => row.rotation?.phase ?? null,
    show: (row) => row.rotation?.phase ?? '–',
  },
  { title: 'DONE', value: (row) => row.rotation?.done ?? null, right: true },
  { title: 'TOTAL', value: (row) => row.rotation?.total ?? null, right: true },
  { title: 'UNREADABLE', value: (row) => row.rotation?.unreadable ?? null, right: true },
];

/** `secret rotate-key`: asks, begins, follows. A rotation that is under way is followed. */
export async function rotateKey(args: ArgsOf<typeof secretRotateKey>, context: CliContext): Promise<number> {
  const { api, output, globals, interactive } = context;
  const read = () => api.send('get', PATH, { schema: keyRotationSchema });
  if (args.status) return told(await read(), context);
  if (interactive && !globals.yes && !(await context.confirm(QUESTION))) {
    output.note('warn', '⚠', 'Nothing was done');
    return EXIT.failed;
  }
  let now = await api.send('post', PATH, { schema: keyRotationSchema });
  let last = '';
  while (!args.detach && now.rotation !== null && now.rotation.phase !== 'done') {
    const text = progress(now);
    if (text !== last) output.note('active', '▶', text);
    last = text;
    await sleep(POLL_MS, undefined, { signal: context.interrupt }).catch(() => {
      throw new Interrupted();
    });
    now = await read();
  }
  return told(now, context);
}

/** What is going on, and what it waits for. */
function progress({ source, processes, rotation }: KeyRotationBody): string {
  if (rotation === null) return '';
  if (rotation.phase !== 'preparing')
    return `${rotation.done} of ${rotation.total ?? '?'} values are under the new key`;
  const waits = processes.filter(({ ready }) => !ready).map(({ host, pid }) => `${clean(host)} ${pid}`);
  if (waits.length === 0) return 'Every process has the new key';
  const what =
    source === 'file'
      ? 'copy secret.key.next into their data folders'
      : 'restart them with OPENCONDUCTOR_SECRET_KEY and OPENCONDUCTOR_SECRET_KEY_PREVIOUS';
  return `Waiting for processes without the new key (${waits.join(', ')}): ${what}`;
}

async function told(row: KeyRotationBody, { output }: CliContext): Promise<number> {
  const { rotation, activeKey, source } = row;
  const people = () => {
    if (rotation === null) {
      output.note('ok', '✓', `Sealed under the key ${activeKey}`, 'it was never rotated');
      return;
    }
    if (rotation.phase !== 'done') {
      output.note('active', '▶', progress(row));
      return;
    }
    output.note(
      'ok',
      '✓',
      `Everything is sealed under the key ${activeKey}`,
      `${rotation.done} values brought over`,
    );
    if (rotation.unreadable > 0)
      output.note(
        'warn',
        '⚠',
        `${rotation.unreadable} values could not be opened`,
        'they stay as they are: set them anew',
      );
    output.line(
      source === 'file'
        ? `secret.key in the data folder is the new key: back it up. Backups made before need the key ${rotation.from}.`
        : `OPENCONDUCTOR_SECRET_KEY_PREVIOUS can go at the next restart. Backups made before need the key ${rotation.from}.`,
    );
  };
  await output.record(row, people, [row], COLUMNS);
  return EXIT.ok;
}
