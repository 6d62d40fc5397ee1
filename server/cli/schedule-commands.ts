import { z } from 'zod';
import type {
  scheduleBackfill,
  scheduleCreate,
  scheduleDelete,
  scheduleList,
  schedulePause,
  scheduleResume,
  scheduleShow,
  scheduleTimes,
  scheduleTrigger,
  scheduleUpdate,
} from '@/lib/commands/rows/schedule';
import type { ArgsOf } from '@/lib/commands/types';
import {
  type OccurrenceBody,
  type ScheduleDetail,
  type ScheduleSummary,
  scheduleDetailSchema,
  scheduleSummarySchema,
  scheduleTimesSchema,
} from '@/lib/protocol/schedule';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readJsonSource } from '@/server/cli/input';
import { clean, timing } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

const BASE = '/api/v1/schedules';
const ONE = `${BASE}/{name}` as const;

const COLUMNS: readonly Column<ScheduleSummary>[] = [
  { title: 'NAME', value: (row) => row.name },
  {
    title: 'STATE',
    value: (row) => (row.paused ? 'paused' : 'active'),
    tone: (row) => (row.paused ? 'warn' : 'ok'),
  },
  { title: 'NEXT', value: (row) => row.nextAt, show: (row) => row.nextAt ?? '–' },
  { title: 'WHEN', value: when },
  { title: 'WORKFLOW', value: (row) => row.workflow },
  { title: 'OVERLAP', value: (row) => row.overlap },
  { title: 'NOTE', value: (row) => row.note, show: (row) => row.note ?? '' },
];

const OCCURRENCE_COLUMNS: readonly Column<OccurrenceBody>[] = [
  { title: 'TIME', value: (row) => row.nominalAt },
  { title: 'KIND', value: (row) => row.kind },
  { title: 'STATE', value: (row) => row.state, tone: toneOf },
  { title: 'RUN', value: (row) => row.runId, show: (row) => row.runId ?? '–' },
  { title: 'REASON', value: (row) => row.reason, show: (row) => row.reason ?? '' },
];

const TIME_COLUMNS: readonly Column<string>[] = [{ title: 'TIME', value: (time) => time }];

function when(row: ScheduleSummary): string {
  if (row.cron !== null) return `${row.cron} (${row.timeZone})`;
  const offset = row.offsetMs > 0 ? `, offset ${timing(row.offsetMs)}` : '';
  return `every ${timing(row.everyMs ?? 0)}${offset}`;
}

function toneOf(row: OccurrenceBody): 'ok' | 'warn' | 'danger' | 'dim' {
  if (row.state === 'started') return 'ok';
  if (row.state === 'failed') return 'danger';
  return row.state === 'waiting' ? 'dim' : 'warn';
}

const one = ({ schedule }: { schedule: string }) => ({ path: { name: schedule } });

/** `schedule list` */
export async function listSchedules(
  _args: ArgsOf<typeof scheduleList>,
  context: CliContext,
): Promise<number> {
  const rows = await context.api.all(BASE, { schema: scheduleSummarySchema });
  await context.output.list(rows, COLUMNS, rows, 'No schedules.');
  return EXIT.ok;
}

/** `schedule show` */
export async function showSchedule(args: ArgsOf<typeof scheduleShow>, context: CliContext): Promise<number> {
  const { output } = context;
  const row = await detail(args.schedule, context);
  const people = () => {
    output.line(
      `${output.paint('bold', clean(row.name))}  ${row.paused ? 'paused' : `next ${row.nextAt ?? '–'}`}`,
    );
    output.line(
      `${clean(when(row))}  starts ${clean(row.workflow)}${row.version === null ? '' : ` v${row.version}`}`,
    );
    output.line(
      `overlap ${row.overlap}, catch-up ${timing(row.catchupWindowMs)}, jitter ${timing(row.jitterMs)}`,
    );
    if (row.note !== null) output.line(`note ${clean(row.note)}`);
    output.line(`input ${clean(JSON.stringify(row.input))}`);
    output.line();
    output.table(row.recent, OCCURRENCE_COLUMNS);
  };
  await output.record(row, people, row.recent, OCCURRENCE_COLUMNS);
  return EXIT.ok;
}

/** `schedule create` */
export async function createSchedule(
  args: ArgsOf<typeof scheduleCreate>,
  context: CliContext,
): Promise<number> {
  const body = { name: args.schedule, ...(await settings(args, context)) };
  const row = await context.api.send('post', BASE, { body, schema: scheduleSummarySchema });
  return told(row, `Schedule ${row.name} made`, context);
}

/**
 * `schedule update`: what is not given is taken from the schedule as it is. Whether it is paused, and its note, are left
 * out: somebody may change them between the reading and the writing.
 */
export async function updateSchedule(
  args: ArgsOf<typeof scheduleUpdate>,
  context: CliContext,
): Promise<number> {
  const given = await settings(args, context);
  const now = await detail(args.schedule, context);
  const timed = given.cron !== undefined || given.every !== undefined;
  const old = {
    workflow: now.workflow,
    ...(now.version === null || given.workflow !== undefined ? {} : { version: now.version }),
    ...(timed || now.cron === null ? {} : { cron: now.cron }),
    ...(timed || now.everyMs === null ? {} : { every: now.everyMs }),
    ...(given.cron === undefined ? { offset: now.offsetMs } : {}),
    timeZone: now.timeZone,
    input: now.input,
    overlap: now.overlap,
    catchupWindow: now.catchupWindowMs,
    jitter: now.jitterMs,
    ...(now.priority === null ? {} : { priority: now.priority }),
  };
  const body = { ...old, ...given };
  const row = await context.api.send('put', ONE, {
    ...one(args),
    body,
    schema: scheduleSummarySchema,
  });
  return told(row, `Schedule ${row.name} changed`, context);
}

/** `schedule delete` */
export async function deleteSchedule(
  args: ArgsOf<typeof scheduleDelete>,
  context: CliContext,
): Promise<number> {
  await context.api.send('delete', ONE, { ...one(args), schema: z.unknown() });
  const row = { name: args.schedule, deleted: true };
  const people = () => context.output.note('ok', '✓', `Schedule ${args.schedule} removed`);
  await context.output.record(row, people, [row], [{ title: 'NAME', value: (it) => it.name }]);
  return EXIT.ok;
}

/** `schedule pause` */
export function pauseSchedule(args: ArgsOf<typeof schedulePause>, context: CliContext): Promise<number> {
  return pausing(args, 'pause', context);
}

/** `schedule resume` */
export function resumeSchedule(args: ArgsOf<typeof scheduleResume>, context: CliContext): Promise<number> {
  return pausing(args, 'resume', context);
}

/** `schedule trigger` */
export async function triggerSchedule(
  args: ArgsOf<typeof scheduleTrigger>,
  context: CliContext,
): Promise<number> {
  const { times } = await context.api.send('post', `${ONE}/trigger`, {
    ...one(args),
    body: args.overlap === undefined ? {} : { overlap: args.overlap },
    schema: scheduleTimesSchema,
  });
  const people = () =>
    context.output.note('ok', '✓', `Schedule ${args.schedule} triggered`, times.join(', '));
  await context.output.record({ times }, people, times, TIME_COLUMNS);
  return EXIT.ok;
}

/** `schedule backfill` */
export async function backfillSchedule(
  args: ArgsOf<typeof scheduleBackfill>,
  context: CliContext,
): Promise<number> {
  const { from, to, overlap } = args;
  const { times } = await context.api.send('post', `${ONE}/backfill`, {
    ...one(args),
    body: { from, to, ...(overlap === undefined ? {} : { overlap }) },
    schema: scheduleTimesSchema,
  });
  await context.output.list(times, TIME_COLUMNS, { times }, 'Nothing to start: no time of the span is left.');
  return EXIT.ok;
}

/** `schedule times` */
export async function listTimes(args: ArgsOf<typeof scheduleTimes>, context: CliContext): Promise<number> {
  const { count, after } = args;
  const { times } = await context.api.send('get', `${ONE}/times`, {
    ...one(args),
    query: { count, after },
    schema: scheduleTimesSchema,
  });
  await context.output.list(times, TIME_COLUMNS, { times }, 'No more times.');
  return EXIT.ok;
}

function detail(name: string, { api }: CliContext): Promise<ScheduleDetail> {
  return api.send('get', ONE, { path: { name }, schema: scheduleDetailSchema });
}

async function pausing(
  args: { schedule: string; note?: string },
  verb: 'pause' | 'resume',
  context: CliContext,
): Promise<number> {
  const row = await context.api.send('post', `${ONE}/${verb}`, {
    ...one(args),
    body: args.note === undefined ? {} : { note: args.note },
    schema: scheduleSummarySchema,
  });
  return told(row, `Schedule ${row.name} ${verb}d`, context);
}

/** The flags of `create` and `update` as fields of the body; only those that were given. */
async function settings(args: ArgsOf<typeof scheduleUpdate>, context: CliContext) {
  const { workflow, version, cron, every, offset, overlap, jitter, paused, note, priority } = args;
  const fields = {
    workflow,
    version,
    cron,
    every,
    offset,
    overlap,
    jitter,
    paused,
    note,
    priority,
    timeZone: args['time-zone'],
    catchupWindow: args['catchup-window'],
    input: args.input === undefined ? undefined : await readJsonSource(args.input, '--input', context.input),
  };
  type Fields = { [K in keyof typeof fields]?: Exclude<(typeof fields)[K], undefined> };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
}

async function told(row: ScheduleSummary, text: string, { output }: CliContext): Promise<number> {
  const people = () => output.note('ok', '✓', text, row.nextAt === null ? '' : `next ${row.nextAt}`);
  await output.record(row, people, [row], COLUMNS);
  return EXIT.ok;
}
