import { PRIORITY } from '@/lib/commands/rows/run';
import { defineCommand } from '@/lib/commands/types';
import { MIN_INTERVAL_MS, OVERLAP_POLICIES } from '@/lib/protocol/schedule';

const NAME = {
  name: 'schedule',
  type: 'string',
  placeholder: 'NAME',
  summary: 'Name of the schedule.',
} as const;

const OVERLAP = {
  name: 'overlap',
  type: 'enum',
  values: OVERLAP_POLICIES,
  summary: 'What to do with a time that comes while a run of the schedule is open.',
} as const;

const NOTE = { name: 'note', type: 'string', summary: 'Why; it is shown with the schedule.' } as const;

const SETTINGS = [
  { name: 'workflow', type: 'string', object: 'workflow', summary: 'Workflow to start.' },
  {
    name: 'version',
    type: 'integer',
    min: 1,
    summary: 'This version; the newest at each start when left out.',
  },
  { name: 'cron', type: 'string', placeholder: 'EXPRESSION', summary: 'When, as cron: "30 6 * * 1-5".' },
  { name: 'time-zone', type: 'string', placeholder: 'ZONE', summary: 'Zone of the cron expression (UTC).' },
  {
    name: 'every',
    type: 'duration',
    min: MIN_INTERVAL_MS,
    summary: 'When, as an interval, in place of --cron.',
  },
  { name: 'offset', type: 'duration', min: 0, summary: 'Moves the times of --every.' },
  {
    name: 'input',
    short: 'i',
    type: 'json-or-file',
    placeholder: 'JSON|@FILE|-',
    summary: 'Input of each run.',
  },
  OVERLAP,
  {
    name: 'catchup-window',
    type: 'duration',
    min: 0,
    summary: 'Missed times not older than this run later (1h; at least 10s).',
  },
  { name: 'jitter', type: 'duration', min: 0, summary: 'Delay each start by up to this (0s).' },
  { name: 'paused', type: 'boolean', summary: 'Do not run yet.' },
  PRIORITY,
  NOTE,
] as const;

/** Every schedule. */
export const scheduleList = defineCommand({
  code: 'SCH',
  name: 'schedule list',
  aliases: ['schedule ls'],
  keywords: ['cron', 'timers', 'recurring', 'periodic', 'jobs'],
  summary: 'List schedules',
  help: 'Shows when each schedule runs next and what it starts.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'schedule list', does: 'Every schedule.' }],
});

/** One schedule. */
export const scheduleShow = defineCommand({
  code: 'SCHS',
  name: 'schedule show',
  aliases: ['schedule get', 'schedule inspect'],
  keywords: ['cron', 'history', 'occurrences', 'detail'],
  summary: 'Show a schedule and its latest times',
  help: 'Shows the settings, and for each of the latest times whether its run was started, skipped, missed or refused.',
  args: [NAME],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'schedule show nightly', does: 'One schedule.' }],
});

/** Make a schedule. */
export const scheduleCreate = defineCommand({
  code: 'SCHC',
  name: 'schedule create',
  aliases: ['schedule add'],
  keywords: ['cron', 'plan', 'repeat', 'new'],
  summary: 'Make a schedule',
  help: 'Give --workflow and either --cron (with --time-zone) or --every. Times come from the database, so a wrong clock of one machine does not matter.',
  args: [NAME],
  flags: SETTINGS,
  objects: ['workflow'],
  role: 'operator',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    {
      line: `schedule create nightly --workflow document-pipeline --cron "30 2 * * *" --time-zone Europe/Berlin --input '{"path":"welcome.md"}'`,
      does: 'Half past two each night in Berlin.',
    },
    {
      line: `schedule create pulse --workflow document-pipeline --every 5m --overlap buffer-one --input '{"path":"welcome.md"}'`,
      does: 'Every five minutes.',
    },
  ],
});

/** Replace a schedule. */
export const scheduleUpdate = defineCommand({
  code: 'SCHU',
  name: 'schedule update',
  aliases: ['schedule replace'],
  keywords: ['cron', 'change', 'edit'],
  summary: 'Change a schedule',
  help: 'What is not given stays as it is, but another workflow means its newest version and --cron needs no offset. Its times are counted anew from now.',
  args: [NAME],
  flags: SETTINGS,
  objects: [],
  role: 'operator',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'schedule update nightly --cron "0 4 * * *"', does: 'Two hours later.' }],
});

/** Remove a schedule. */
export const scheduleDelete = defineCommand({
  code: 'SCHD',
  name: 'schedule delete',
  aliases: ['schedule remove', 'schedule rm'],
  keywords: ['cron', 'drop', 'end'],
  summary: 'Remove a schedule',
  help: 'Runs that it started go on.',
  args: [NAME],
  flags: [],
  objects: [],
  role: 'operator',
  surfaces: ['cli'],
  confirm: 'Remove this schedule? It cannot be taken back.',
  output: 'record',
  examples: [{ line: 'schedule delete nightly --yes', does: 'Remove without being asked.' }],
});

/** Pause a schedule. */
export const schedulePause = defineCommand({
  code: 'SCHP',
  name: 'schedule pause',
  keywords: ['cron', 'stop', 'suspend', 'hold'],
  summary: 'Pause a schedule',
  help: 'Times that come while it is paused are let pass for good, and so are those that wait, except what was asked for by trigger or backfill.',
  args: [NAME],
  flags: [NOTE],
  objects: [],
  role: 'operator',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'schedule pause nightly --note "database work"', does: 'Pause it and say why.' }],
});

/** Resume a schedule. */
export const scheduleResume = defineCommand({
  code: 'SCHR',
  name: 'schedule resume',
  aliases: ['schedule unpause'],
  keywords: ['cron', 'continue', 'unpause'],
  summary: 'Resume a paused schedule',
  help: 'It goes on with its next time.',
  args: [NAME],
  flags: [NOTE],
  objects: [],
  role: 'operator',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'schedule resume nightly', does: 'Let it go on.' }],
});

/** Run a schedule now. */
export const scheduleTrigger = defineCommand({
  code: 'SCHT',
  name: 'schedule trigger',
  aliases: ['schedule now'],
  keywords: ['cron', 'now', 'start', 'once'],
  summary: 'Run a schedule once, now',
  help: 'Its overlap policy holds, unless --overlap says otherwise. Also works while it is paused.',
  args: [NAME],
  flags: [OVERLAP],
  objects: [],
  role: 'operator',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'schedule trigger nightly', does: 'Start it now.' }],
});

/** Start times that have passed. */
export const scheduleBackfill = defineCommand({
  code: 'SCHB',
  name: 'schedule backfill',
  keywords: ['cron', 'past', 'missed', 'catch', 'range'],
  summary: 'Start the times of a past span that were not started',
  help: 'A time that was started already is not started again, however often this is asked for, as long as it is on record: see docs/operations.md.',
  args: [
    NAME,
    { name: 'from', type: 'string', summary: 'First time that counts, ISO 8601.' },
    { name: 'to', type: 'string', summary: 'Last time that counts, ISO 8601.' },
  ],
  flags: [OVERLAP],
  objects: [],
  role: 'operator',
  surfaces: ['cli'],
  output: 'table',
  examples: [
    {
      line: 'schedule backfill nightly 2026-11-01T00:00:00Z 2026-11-05T00:00:00Z --overlap allow-all',
      does: 'Four nights.',
    },
  ],
});

/** Next times of a schedule. */
export const scheduleTimes = defineCommand({
  code: 'SCHN',
  name: 'schedule times',
  aliases: ['schedule next'],
  keywords: ['cron', 'upcoming', 'when', 'preview'],
  summary: 'List the next times of a schedule',
  help: 'Counts from now, or from --after.',
  args: [NAME],
  flags: [
    { name: 'count', short: 'n', type: 'integer', min: 1, max: 100, summary: 'How many (10).' },
    { name: 'after', type: 'string', summary: 'Times after this one, ISO 8601.' },
  ],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'schedule times nightly -n 3', does: 'The next three.' }],
});
