import { defineCommand } from '@/lib/commands/types';

const KEY = {
  name: 'setting',
  type: 'string',
  placeholder: 'SETTING',
  summary: 'Name of the setting, e.g. tools.changes.',
  object: 'setting',
} as const;

/** Every setting. */
export const settingsList = defineCommand({
  code: 'CFG',
  name: 'settings list',
  aliases: ['settings ls', 'config list'],
  keywords: ['configuration', 'options', 'limits', 'retention', 'preferences'],
  summary: 'List settings with their values',
  help: 'Shows what holds for the organisation and where each value comes from: default, environment or organisation.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'SYS',
  output: 'table',
  examples: [{ line: 'settings list', does: 'Every setting.' }],
});

/** One setting. */
export const settingsGet = defineCommand({
  code: 'CFGG',
  name: 'settings get',
  aliases: ['config get'],
  keywords: ['configuration', 'option', 'value'],
  summary: 'Show one setting',
  help: 'Prints its value, where that comes from, and what it does.',
  args: [KEY],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'SYS',
  output: 'record',
  examples: [{ line: 'settings get tools.changes', does: 'One setting.' }],
});

/** Change one setting. */
export const settingsSet = defineCommand({
  code: 'CFGS',
  name: 'settings set',
  aliases: ['config set'],
  keywords: ['configuration', 'change', 'option', 'policy'],
  summary: 'Change a setting of the organisation',
  help: 'The value is JSON; plain words may stand without quotes. null takes the own value away, so that the default holds again.',
  args: [KEY, { name: 'value', type: 'string', summary: 'The new value.' }],
  flags: [
    {
      name: 'version',
      type: 'integer',
      min: 0,
      summary: 'Refuse when the settings are not of this version any more.',
    },
  ],
  objects: [],
  role: 'admin',
  surfaces: ['cli', 'bar'],
  panel: 'SYS',
  output: 'record',
  examples: [
    { line: 'settings set tools.changes block', does: 'Block tools whose definition changed.' },
    { line: 'settings set tools.changes null', does: 'Back to the default.' },
  ],
});

/** The environment of the process. */
export const settingsInstance = defineCommand({
  code: 'CFGI',
  name: 'settings instance',
  aliases: ['config instance'],
  keywords: ['environment', 'variables', 'process', 'configuration'],
  summary: 'List the environment settings of the process',
  help: 'Every variable of docs/operations.md with its value. Secrets are not shown, only whether they are set.',
  args: [],
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli', 'bar'],
  panel: 'SYS',
  output: 'table',
  examples: [{ line: 'settings instance', does: 'Every variable.' }],
});
