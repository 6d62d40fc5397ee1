import { z } from 'zod';
import type * as rows from '@/lib/commands/rows/identity';
import type { ArgsOf } from '@/lib/commands/types';
import {
  auditEntrySchema,
  auditVerificationSchema,
  type QuotasBody,
  quotasSchema,
} from '@/lib/protocol/api-audit';
import {
  apiKeySchema,
  createdKeySchema,
  invitationSchema,
  memberSchema,
  meSchema,
  roleSchema,
} from '@/lib/protocol/api-identity';
import { ALL_PERMISSIONS, type Permission } from '@/lib/protocol/permissions';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import type { Column } from '@/server/cli/table';

type Filters = ArgsOf<typeof rows.auditExport>;
const filterOf = ({ action, object, actor, since, until }: Filters) => ({
  action,
  object,
  actor,
  since,
  until,
});

/** `whoami` */
export async function whoAmI(_args: object, { api, output }: CliContext): Promise<number> {
  const me = await api.send('get', '/api/v1/me', { schema: meSchema });
  const people = () => {
    output.line(`${me.name} (${me.kind}), ${me.role} of ${me.organization.name}`);
    output.line(me.permissions.join(' '));
  };
  await output.record(
    me,
    people,
    [me],
    [
      { title: 'NAME', value: (row) => row.name },
      { title: 'ORGANIZATION', value: (row) => row.organization.name },
      { title: 'ROLE', value: (row) => row.role },
    ],
  );
  return EXIT.ok;
}

/** `member list` */
export async function listMembers(_args: object, { api, output }: CliContext): Promise<number> {
  const { items } = await api.send('get', '/api/v1/members', {
    schema: z.object({ items: z.array(memberSchema) }),
  });
  const columns: Column<(typeof items)[number]>[] = [
    { title: 'NAME', value: (row) => row.name },
    { title: 'EMAIL', value: (row) => row.email },
    { title: 'ROLE', value: (row) => row.role },
    { title: 'LAST SEEN', value: (row) => row.lastSeenAt ?? '' },
    { title: 'ID', value: (row) => row.userId },
  ];
  await output.list(items, columns, items, 'No members.');
  return EXIT.ok;
}

/** `member invite` */
export async function inviteMember(
  args: ArgsOf<typeof rows.memberInvite>,
  { api, output }: CliContext,
): Promise<number> {
  const body = { email: args.email, role: args.role ?? 'viewer' };
  const made = await api.send('post', '/api/v1/invitations', { body, schema: invitationSchema });
  await output.record(
    made,
    () => output.line(made.url ?? ''),
    [made],
    [
      { title: 'EMAIL', value: (row) => row.email },
      { title: 'URL', value: (row) => row.url ?? '' },
    ],
  );
  return EXIT.ok;
}

/** `role list` */
export async function listRoles(_args: object, { api, output }: CliContext): Promise<number> {
  const schema = z.looseObject({ items: z.array(roleSchema) });
  const { items } = await api.send('get', '/api/v1/roles', { schema });
  const columns: Column<(typeof items)[number]>[] = [
    { title: 'ROLE', value: (row) => row.name },
    { title: 'BUILT IN', value: (row) => (row.builtIn ? 'yes' : 'no') },
    { title: 'PERMISSIONS', value: (row) => row.permissions.join(' ') },
  ];
  await output.list(items, columns, items, 'No roles.');
  return EXIT.ok;
}

/** `key list` */
export async function listKeys(_args: object, { api, output }: CliContext): Promise<number> {
  const schema = z.object({ items: z.array(apiKeySchema) });
  const { items } = await api.send('get', '/api/v1/api-keys', { schema });
  const columns: Column<(typeof items)[number]>[] = [
    { title: 'KEY', value: (row) => `${row.start}…` },
    { title: 'NAME', value: (row) => row.name },
    { title: 'OF', value: (row) => row.userName },
    { title: 'USES', value: (row) => String(row.uses) },
    { title: 'LAST USED', value: (row) => row.lastUsedAt ?? '' },
    { title: 'EXPIRES', value: (row) => row.expiresAt ?? 'never' },
    { title: 'ID', value: (row) => row.id },
  ];
  await output.list(items, columns, items, 'No keys.');
  return EXIT.ok;
}

/** `key create` */
export async function createKey(
  args: ArgsOf<typeof rows.keyCreate>,
  { api, output }: CliContext,
): Promise<number> {
  const scopes = args.scope?.map((one) => {
    if ((ALL_PERMISSIONS as string[]).includes(one)) return one as Permission;
    throw badInput('INVALID_INPUT', `There is no permission ${one}.`, { path: '--scope' });
  });
  const body = { name: args.name, scopes, days: args.days };
  const made = await api.send('post', '/api/v1/api-keys', { body, schema: createdKeySchema });
  await output.record(
    made,
    () => output.line(made.key),
    [made],
    [
      { title: 'ID', value: (row) => row.id },
      { title: 'KEY', value: (row) => row.key },
    ],
  );
  return EXIT.ok;
}

/** `key remove` */
export async function removeKey(
  args: ArgsOf<typeof rows.keyRemove>,
  { api, output }: CliContext,
): Promise<number> {
  await api.send('delete', '/api/v1/api-keys/{keyId}', { path: { keyId: args.id }, schema: z.unknown() });
  const row = { id: args.id };
  await output.record(
    row,
    () => output.note('ok', '✓', `Ended ${args.id}`),
    [row],
    [{ title: 'ID', value: (it) => it.id }],
  );
  return EXIT.ok;
}

/** `audit list` */
export async function listAudit(
  args: ArgsOf<typeof rows.auditList>,
  { api, output }: CliContext,
): Promise<number> {
  const schema = z.looseObject({ items: z.array(auditEntrySchema) });
  const query = { ...filterOf(args as Filters), limit: args.limit };
  const { items } = await api.send('get', '/api/v1/audit', { query, schema });
  const columns: Column<(typeof items)[number]>[] = [
    { title: 'SEQ', value: (row) => (row.seq === null ? '' : String(row.seq)) },
    { title: 'AT', value: (row) => row.at },
    { title: 'WHO', value: (row) => `${row.actorKind} ${row.actorId}` },
    { title: 'ACTION', value: (row) => row.action },
    { title: 'OBJECT', value: (row) => row.object },
    { title: 'FROM', value: (row) => row.source ?? '' },
  ];
  await output.list(items, columns, items, 'No entries.');
  return EXIT.ok;
}

/** `audit verify`: exit code 1 for a broken chain. */
export async function verifyAudit(_args: object, { api, output }: CliContext): Promise<number> {
  const verdict = await api.send('get', '/api/v1/audit/verify', { schema: auditVerificationSchema });
  const people = () => {
    const { ok, checked, unsealed, head, broken } = verdict;
    if (ok) output.note('ok', '✓', `${checked} entries hold, ${unsealed} are not sealed yet`);
    else output.note('danger', '✗', `Entry ${broken?.seq} is ${broken?.fault}`, broken?.id ?? '');
    output.line(`end of the chain: ${head}`);
  };
  await output.record(
    verdict,
    people,
    [verdict],
    [
      { title: 'OK', value: (row) => String(row.ok) },
      { title: 'CHECKED', value: (row) => String(row.checked) },
      { title: 'BROKEN', value: (row) => String(row.broken?.seq ?? '') },
      { title: 'HEAD', value: (row) => row.head },
    ],
  );
  return verdict.ok ? EXIT.ok : EXIT.failed;
}

/** `audit export` */
export async function exportAudit(args: Filters, { api, output }: CliContext): Promise<number> {
  const query = { ...filterOf(args), format: args.format };
  const bytes = await api.send('get', '/api/v1/audit/export', {
    query,
    raw: true,
    schema: z.instanceof(Buffer),
  });
  output.text(bytes.toString('utf8').trimEnd());
  return EXIT.ok;
}

/** `quota show` */
export async function showQuotas(_args: object, { api, output }: CliContext): Promise<number> {
  const quotas = await api.send('get', '/api/v1/quotas', { schema: quotasSchema });
  const lines = quotaLines(quotas);
  await output.list(
    lines,
    [
      { title: 'WHAT', value: (row) => row.what },
      { title: 'USED', value: (row) => String(row.used) },
      { title: 'LIMIT', value: (row) => (row.limit === null ? 'none' : String(row.limit)) },
    ],
    quotas,
    'No quotas.',
  );
  return EXIT.ok;
}

function quotaLines({ limits, usage }: QuotasBody) {
  return [
    { what: 'open runs', used: usage.openRuns, limit: limits.maxOpenRuns },
    { what: 'runs today', used: usage.runsToday, limit: limits.maxRunsPerDay },
    { what: 'servers', used: usage.servers, limit: limits.maxServers },
    { what: 'bytes of history', used: usage.storageBytes, limit: limits.maxStorageBytes },
  ];
}
