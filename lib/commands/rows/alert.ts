import { defineCommand } from '@/lib/commands/types';
import { ALERT_STATES } from '@/lib/protocol/alerts';

/** Alerts. */
export const alertList = defineCommand({
  code: 'ALRT',
  name: 'alert list',
  aliases: ['alert ls'],
  keywords: ['alarm', 'warning', 'firing', 'failures', 'queue', 'breaker'],
  summary: 'List alerts, newest first',
  help: 'Those that are firing and those that were.',
  args: [],
  flags: [
    { name: 'state', type: 'enum', values: ALERT_STATES, summary: 'Only those in this state.' },
    { name: 'limit', short: 'n', type: 'integer', min: 1, max: 200, summary: 'How many (50).' },
  ],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'alert list --state firing', does: 'What is wrong now.' }],
});

/** The rules. */
export const alertRules = defineCommand({
  code: 'ALRR',
  name: 'alert rules',
  keywords: ['alarm', 'threshold', 'limits', 'settings'],
  summary: 'Show from when on something counts as wrong',
  help: 'Prints the rules as JSON that `alert set` takes.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'alert rules', does: 'The thresholds in force.' }],
});

/** Set the rules. */
export const alertSet = defineCommand({
  code: 'ALRS',
  name: 'alert set',
  keywords: ['alarm', 'threshold', 'limits', 'change'],
  summary: 'Set the rules of alerts',
  help: 'What is left out gets its usual value. They hold from the next look on, within 15 s.',
  args: [{ name: 'rules', type: 'json-or-file', placeholder: 'JSON|@FILE|-', summary: 'The rules.' }],
  flags: [],
  objects: [],
  role: 'operator',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    {
      line: `alert set '{"failure-rate":{"abovePercent":25},"queue-depth":{"above":50000}}'`,
      does: 'Later alarms.',
    },
  ],
});
