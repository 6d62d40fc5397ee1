import { REVEAL, RUN_ID } from '@/lib/commands/rows/run';
import { defineCommand } from '@/lib/commands/types';

/** When a run did what. */
export const runTimeline = defineCommand({
  code: 'RTL',
  name: 'run timeline',
  keywords: ['gantt', 'durations', 'when', 'phases'],
  summary: 'Show when each step of a run did what',
  help: 'One line for each step: when it was scheduled, how long it waited, ran and backed off, and how it ended.',
  args: [RUN_ID],
  flags: [],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'table',
  examples: [{ line: 'run timeline 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10', does: 'Its steps in time.' }],
});

/** What a run used. */
export const runMetrics = defineCommand({
  code: 'RMET',
  name: 'run metrics',
  aliases: ['run usage'],
  keywords: ['usage', 'cost', 'tokens', 'calls', 'latency'],
  summary: 'Show what a run used',
  help: 'Calls, time, bytes, tokens and cost, and each server with its calls, latency and error rate.',
  args: [RUN_ID],
  flags: [],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [{ line: 'run metrics 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10', does: 'Its usage.' }],
});

/** One step with its data. */
export const runStep = defineCommand({
  code: 'RSTP',
  name: 'run step',
  aliases: ['run node'],
  keywords: ['input', 'output', 'data', 'payload'],
  summary: 'Show a step with its input and output',
  help: 'The step is named by its path, iterations included: each/3/extract.',
  args: [RUN_ID, { name: 'step', type: 'string', summary: 'Path of the step.' }],
  flags: [REVEAL],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [{ line: 'run step 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10 read', does: 'One step.' }],
});

/** One event of a run. */
export const runEvent = defineCommand({
  code: 'REVT',
  name: 'run event',
  keywords: ['history', 'data', 'single'],
  summary: 'Show one event of a run in full',
  help: 'By its number in the history (`run events`).',
  args: [RUN_ID, { name: 'seq', type: 'integer', min: 1, summary: 'Number of the event.' }],
  flags: [REVEAL],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [{ line: 'run event 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10 1', does: 'How it began.' }],
});

/** The history of a server's health. */
export const serverHealth = defineCommand({
  code: 'SHEA',
  name: 'server health',
  keywords: ['probes', 'reachable', 'history', 'uptime'],
  summary: 'Show the newest probes of a server',
  help: 'The newest probes with state and latency. `server test` asks now.',
  args: [{ name: 'server', type: 'string', summary: 'Name of the server.', object: 'server' }],
  flags: [],
  objects: ['server'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'SRV',
  output: 'table',
  examples: [{ line: 'server health weather', does: 'Its newest probes.' }],
});

/** Times of a schedule that is not made. */
export const schedulePreview = defineCommand({
  code: 'SCHV',
  name: 'schedule preview',
  keywords: ['cron', 'times', 'when', 'try'],
  summary: 'Show when a schedule would run',
  help: 'Give --cron (with --time-zone) or --every (with --offset).',
  args: [],
  flags: [
    { name: 'cron', type: 'string', placeholder: 'EXPRESSION', summary: 'A cron expression.' },
    { name: 'time-zone', type: 'string', placeholder: 'ZONE', summary: 'IANA name of its time zone (UTC).' },
    { name: 'every', type: 'duration', min: 1000, summary: 'An interval in place of --cron.' },
    { name: 'offset', type: 'duration', summary: 'Shifts the times of --every.' },
    { name: 'count', short: 'n', type: 'integer', min: 1, max: 100, summary: 'How many times (10).' },
  ],
  objects: [],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'table',
  examples: [
    { line: `schedule preview --cron '0 3 * * *' --time-zone Europe/Berlin -n 3`, does: 'The next three.' },
  ],
});

/** What happens in the organisation. */
export const events = defineCommand({
  code: 'EVTS',
  name: 'events',
  aliases: ['event list'],
  keywords: ['stream', 'feed', 'live', 'tail', 'everything'],
  summary: 'Show or follow the events of every run',
  help: 'By stream number. With --follow it goes on with what happens next, over restarts of the instance, until Ctrl-C.',
  args: [],
  flags: [
    { name: 'after', type: 'integer', min: 0, summary: 'Only entries with a larger number.' },
    { name: 'limit', short: 'n', type: 'integer', min: 1, max: 1000, summary: 'At most this many (100).' },
    { name: 'follow', short: 'f', type: 'boolean', summary: 'Go on with what happens next.' },
  ],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'stream',
  examples: [{ line: 'events --follow --json', does: 'Everything as it happens, one JSON object a line.' }],
});

/** The description of the API. */
export const openapi = defineCommand({
  code: 'OAPI',
  name: 'openapi',
  keywords: ['rest', 'api', 'schema', 'document', 'client'],
  summary: 'Print the OpenAPI document of the instance',
  help: 'OpenAPI 3.1, as JSON; --output yaml gives YAML. /api/docs of the instance shows it as a page.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'text',
  examples: [{ line: 'openapi', does: 'To a file: put > FILE behind it.' }],
});
