import { z } from 'zod';
import type * as rows from '@/lib/commands/rows/view';
import type { ArgsOf } from '@/lib/commands/types';
import { type SavedView, savedViewSchema, VIEW_COLUMNS } from '@/lib/protocol/views';
import { badInput, CliError, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import type { Column } from '@/server/cli/table';

const BASE = '/api/v1/views';

const COLUMNS: readonly Column<SavedView>[] = [
  { title: 'VIEW', value: (row) => row.name },
  { title: 'WHOSE', value: (row) => (row.shared ? 'shared' : 'private') },
  { title: 'FILTERS', value: (row) => filtersText(row) },
  { title: 'COLUMNS', value: (row) => row.columns.join(',') },
  { title: 'SORT', value: (row) => `${row.sort.by}:${row.sort.order}` },
  { title: 'VERSION', value: (row) => row.version, right: true },
  { title: 'UPDATED', value: (row) => row.updatedAt },
];

function filtersText(row: SavedView): string {
  return Object.entries(row.filters)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : String(value)}`)
    .join(' ');
}

/**
 * The view of this name or id, the caller's own before a shared one.
 * @throws CliError VIEW_NOT_FOUND
 */
export async function findView(nameOrId: string, { api }: Pick<CliContext, 'api'>): Promise<SavedView> {
  const views = await api.all(BASE, { schema: savedViewSchema });
  const found =
    views.find((row) => row.viewId === nameOrId) ??
    views.find((row) => row.name === nameOrId && row.mine && !row.shared) ??
    views.find((row) => row.name === nameOrId);
  if (found !== undefined) return found;
  throw new CliError('VIEW_NOT_FOUND', `There is no saved view ${nameOrId}.`, {
    exit: EXIT.badInput,
    path: 'VIEW',
    next: 'List the saved views with `openconductor view list`.',
  });
}

/** `view list` */
export async function listViews(_args: object, { api, output }: CliContext): Promise<number> {
  const rows = await api.all(BASE, { schema: savedViewSchema });
  await output.list(rows, COLUMNS, rows, 'No saved views.');
  return EXIT.ok;
}

/** `view show` */
export async function showView(args: ArgsOf<typeof rows.viewShow>, context: CliContext): Promise<number> {
  const view = await findView(args.view, context);
  await context.output.record(view, () => context.output.table([view], COLUMNS), [view], COLUMNS);
  return EXIT.ok;
}

/** `view save`: a new view, or your view of that name replaced at the version it has now. */
export async function saveView(args: ArgsOf<typeof rows.viewSave>, context: CliContext): Promise<number> {
  const { api, output } = context;
  const body = bodyOf(args);
  const mine = (await api.all(BASE, { query: { name: args.name }, schema: savedViewSchema })).filter(
    (row) => row.mine,
  );
  const now = mine.find((row) => row.shared === (args.shared ?? false)) ?? mine[0];
  const view =
    now === undefined
      ? await api.send('post', BASE, { body, schema: savedViewSchema })
      : await api.send('put', `${BASE}/{viewId}`, {
          path: { viewId: now.viewId },
          headers: { 'if-match': `"v${now.version}"` },
          body,
          schema: savedViewSchema,
        });
  const people = () => output.note('ok', '✓', `Saved ${view.name}`, filtersText(view));
  await output.record(view, people, [view], COLUMNS);
  return EXIT.ok;
}

function bodyOf(args: ArgsOf<typeof rows.viewSave>) {
  const given = {
    status: args.status && [...args.status],
    workflow: args.workflow,
    workflowId: args['workflow-id'],
    startedWithin: args.within === undefined ? undefined : `${args.within}ms`,
    startedAfter: args.since,
    startedBefore: args.until,
    attribute: args.attribute,
  };
  const filters = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    name: args.name,
    shared: args.shared ?? false,
    filters,
    ...(args.columns === undefined ? {} : { columns: args.columns }),
    ...(args.sort === undefined ? {} : { sort: sortOf(args.sort) }),
  };
}

function sortOf(text: string) {
  const [by = '', order = 'asc'] = text.split(':');
  if ((VIEW_COLUMNS as readonly string[]).includes(by) && (order === 'asc' || order === 'desc'))
    return { by, order };
  throw badInput('INVALID_INPUT', `--sort takes a column, with :asc or :desc behind it: not ${text}.`, {
    path: '--sort',
    next: `Columns are ${VIEW_COLUMNS.join(', ')}.`,
  });
}

/** `view remove` */
export async function removeView(args: ArgsOf<typeof rows.viewRemove>, context: CliContext): Promise<number> {
  const view = await findView(args.view, context);
  await context.api.send('delete', `${BASE}/{viewId}`, {
    path: { viewId: view.viewId },
    schema: z.unknown(),
  });
  const row = { viewId: view.viewId, name: view.name, removed: true };
  const people = () => context.output.note('ok', '✓', `Removed ${view.name}`);
  await context.output.record(row, people, [row], [{ title: 'VIEW', value: (it) => it.name }]);
  return EXIT.ok;
}
