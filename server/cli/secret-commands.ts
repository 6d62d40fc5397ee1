import { z } from 'zod';
import type * as rows from '@/lib/commands/rows/secret';
import type { ArgsOf } from '@/lib/commands/types';
import { type SecretInfoBody, secretInfoSchema } from '@/lib/protocol/api-servers';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readText } from '@/server/cli/input';
import type { Column } from '@/server/cli/table';

const COLUMNS: readonly Column<SecretInfoBody>[] = [
  { title: 'SECRET', value: (row) => row.name },
  { title: 'UPDATED', value: (row) => row.updatedAt },
  { title: 'BY', value: (row) => row.updatedBy },
];

/** `secret list` */
export async function listSecrets(
  args: ArgsOf<typeof rows.secretList>,
  { api, output }: CliContext,
): Promise<number> {
  const rows = await api.all(args.personal ? '/api/v1/me/secrets' : '/api/v1/secrets', {
    schema: secretInfoSchema,
  });
  await output.list(rows, COLUMNS, rows, 'No secrets.');
  return EXIT.ok;
}

/** `secret set` */
export async function setSecret(args: ArgsOf<typeof rows.secretSet>, context: CliContext): Promise<number> {
  const text = await readText(
    args.file ?? '-',
    args.file === undefined ? 'standard input' : '--file',
    context.input,
  );
  const body = { value: text.replace(/\r?\n$/, '') };
  await context.api.send('put', pathOf(args), {
    path: { name: args.secret },
    body,
    schema: z.unknown(),
  });
  return done(args.secret, 'Set', context);
}

/** `secret remove` */
export async function removeSecret(
  args: ArgsOf<typeof rows.secretRemove>,
  context: CliContext,
): Promise<number> {
  await context.api.send('delete', pathOf(args), {
    path: { name: args.secret },
    schema: z.unknown(),
  });
  return done(args.secret, 'Removed', context);
}

function pathOf({ personal }: { personal?: boolean | undefined }) {
  return personal ? '/api/v1/me/secrets/{name}' : '/api/v1/secrets/{name}';
}

async function done(name: string, verb: string, { output }: CliContext): Promise<number> {
  const row = { name };
  const people = () => output.note('ok', '✓', `${verb} ${name}`);
  await output.record(row, people, [row], [{ title: 'SECRET', value: (it) => it.name }]);
  return EXIT.ok;
}
