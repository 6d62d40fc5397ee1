import * as alert from '@/lib/commands/rows/alert';
import * as backups from '@/lib/commands/rows/backup';
import * as bulk from '@/lib/commands/rows/bulk';
import * as hook from '@/lib/commands/rows/hook';
import * as identity from '@/lib/commands/rows/identity';
import * as inspect from '@/lib/commands/rows/inspect';
import * as profile from '@/lib/commands/rows/profile';
import * as run from '@/lib/commands/rows/run';
import * as again from '@/lib/commands/rows/run-again';
import * as answer from '@/lib/commands/rows/run-answer';
import * as control from '@/lib/commands/rows/run-control';
import * as schedule from '@/lib/commands/rows/schedule';
import * as secret from '@/lib/commands/rows/secret';
import * as server from '@/lib/commands/rows/server';
import * as serverAdmin from '@/lib/commands/rows/server-admin';
import * as settings from '@/lib/commands/rows/settings';
import * as sharing from '@/lib/commands/rows/sharing';
import * as system from '@/lib/commands/rows/system';
import * as team from '@/lib/commands/rows/team';
import { top } from '@/lib/commands/rows/top';
import * as view from '@/lib/commands/rows/view';
import * as webhook from '@/lib/commands/rows/webhook';
import * as workflow from '@/lib/commands/rows/workflow';
import type { CommandSpec, FlagSpec, ObjectSpec, Surface } from '@/lib/commands/types';

/** Every command, in the order in which help lists them. A new command is a row here and a handler. */
export const COMMANDS = [
  run.orchestrate,
  run.runList,
  run.runShow,
  run.runWatch,
  run.runEvents,
  inspect.runEvent,
  inspect.runStep,
  inspect.runTimeline,
  inspect.runMetrics,
  again.runHistory,
  again.runPayload,
  run.runSignal,
  answer.runAnswer,
  control.runPause,
  control.runResume,
  control.runApprove,
  control.runReject,
  control.runResolve,
  run.runCancel,
  control.runTerminate,
  again.runRetry,
  again.runRerun,
  again.runRestart,
  control.taskList,
  view.viewList,
  view.viewShow,
  view.viewSave,
  view.viewRemove,
  sharing.viewSharing,
  sharing.viewShare,
  sharing.viewUnshare,
  sharing.viewRestrict,
  sharing.viewUnrestrict,
  inspect.events,
  top,
  workflow.workflowList,
  workflow.workflowShow,
  workflow.workflowValidate,
  workflow.workflowRegister,
  workflow.workflowVersions,
  workflow.workflowExport,
  workflow.workflowPlan,
  sharing.workflowSharing,
  sharing.workflowShare,
  sharing.workflowUnshare,
  sharing.workflowRestrict,
  sharing.workflowUnrestrict,
  workflow.workflowStarters,
  workflow.workflowStarter,
  server.serverList,
  server.serverInspect,
  serverAdmin.serverTools,
  server.serverCall,
  serverAdmin.serverAccept,
  serverAdmin.serverTest,
  inspect.serverHealth,
  serverAdmin.serverLogs,
  serverAdmin.serverEvents,
  serverAdmin.serverAdd,
  serverAdmin.serverEdit,
  serverAdmin.serverRemove,
  serverAdmin.serverImport,
  serverAdmin.serverAuthorize,
  secret.secretList,
  secret.secretSet,
  secret.secretRemove,
  secret.secretRotateKey,
  schedule.scheduleList,
  schedule.scheduleShow,
  schedule.scheduleCreate,
  schedule.scheduleUpdate,
  schedule.scheduleDelete,
  schedule.schedulePause,
  schedule.scheduleResume,
  schedule.scheduleTrigger,
  schedule.scheduleBackfill,
  schedule.scheduleTimes,
  inspect.schedulePreview,
  hook.hookList,
  hook.hookShow,
  hook.hookAdd,
  hook.hookEdit,
  hook.hookRemove,
  hook.hookRotate,
  hook.hookDeliveries,
  webhook.webhookList,
  webhook.webhookShow,
  webhook.webhookAdd,
  webhook.webhookEdit,
  webhook.webhookRemove,
  webhook.webhookRotate,
  webhook.webhookDeliveries,
  webhook.webhookReplay,
  webhook.webhookTest,
  alert.alertList,
  alert.alertRules,
  alert.alertSet,
  bulk.bulkRun,
  bulk.bulkList,
  bulk.bulkShow,
  bulk.bulkStop,
  settings.settingsList,
  settings.settingsGet,
  settings.settingsSet,
  settings.settingsInstance,
  identity.whoami,
  identity.memberList,
  identity.memberInvite,
  identity.userErase,
  identity.roleList,
  team.teamList,
  team.teamCreate,
  team.teamRename,
  team.teamDelete,
  team.teamAdd,
  team.teamRemove,
  team.scimList,
  team.scimToken,
  team.scimRemove,
  identity.keyList,
  identity.keyCreate,
  identity.keyRemove,
  identity.auditList,
  identity.auditVerify,
  identity.auditExport,
  identity.quotaShow,
  profile.profileAdd,
  profile.profileList,
  profile.profileShow,
  profile.profileUse,
  profile.profileRemove,
  backups.backup,
  backups.restore,
  system.start,
  system.health,
  system.help,
  system.version,
  inspect.openapi,
  system.completion,
] as const satisfies readonly CommandSpec[];

type Row = (typeof COMMANDS)[number];

/** The name of a command, e.g. `run list`. */
export type CommandName = Row['name'];

/** The row with the name `N`. */
export type CommandOf<N extends CommandName> = Extract<Row, { name: N }>;

/** The things commands act on. Their bare word lists them; followed by a name it shows that one. */
export const OBJECTS: readonly ObjectSpec[] = [
  {
    kind: 'run',
    code: 'RUN',
    words: ['run', 'runs'],
    summary: 'Runs of workflows',
    list: 'run list',
    show: 'run show',
    namePattern: '^[0-9a-f]{8}-[0-9a-f-]{27}$',
  },
  {
    kind: 'workflow',
    code: 'WF',
    words: ['workflow', 'workflows', 'wf'],
    summary: 'Workflow definitions',
    list: 'workflow list',
    show: 'workflow show',
    namePattern: '^[^\\s]+$',
  },
  {
    kind: 'server',
    code: 'SRV',
    words: ['server', 'servers', 'srv'],
    summary: 'MCP servers',
    list: 'server list',
    show: 'server inspect',
    namePattern: '^[^\\s]+$',
  },
];

/** Flags that every command of the program understands. */
export const GLOBAL_FLAGS = [
  {
    name: 'output',
    short: 'o',
    type: 'enum',
    values: ['table', 'json', 'yaml', 'csv'],
    summary: 'Form of the answer (table).',
  },
  { name: 'json', type: 'boolean', summary: 'One JSON object a line: for programs.' },
  {
    name: 'url',
    type: 'string',
    placeholder: 'URL',
    summary: 'Address of the instance; otherwise OPENCONDUCTOR_URL, else the instance running here.',
  },
  {
    name: 'profile',
    type: 'string',
    placeholder: 'NAME',
    summary: 'Talk to the instance of this profile (`profile add`), with its API key.',
  },
  {
    name: 'yes',
    short: 'y',
    type: 'boolean',
    summary: 'Answer yes to the question a destructive command asks.',
  },
  { name: 'no-color', type: 'boolean', summary: 'No colours (NO_COLOR does the same).' },
  { name: 'help', short: 'h', type: 'boolean', summary: 'Show help for the command.' },
] as const satisfies readonly FlagSpec[];

/** Values of the global flags after parsing. */
export interface GlobalValues {
  readonly output?: 'table' | 'json' | 'yaml' | 'csv';
  readonly json?: boolean;
  readonly url?: string;
  readonly profile?: string;
  readonly yes?: boolean;
  readonly 'no-color'?: boolean;
}

const BY_NAME = new Map<string, CommandSpec>();
const BY_CODE = new Map<string, CommandSpec>();
for (const row of COMMANDS as readonly CommandSpec[]) {
  BY_NAME.set(row.name, row);
  for (const alias of row.aliases ?? []) BY_NAME.set(alias, row);
  BY_CODE.set(row.code, row);
}

/** The command with this name or alias (lower case, words split by one space). */
export function commandNamed(name: string): CommandSpec | undefined {
  return BY_NAME.get(name);
}

/** The command with this code, in any case. */
export function commandWithCode(code: string): CommandSpec | undefined {
  return BY_CODE.get(code.toUpperCase());
}

/** The object kind that a word (`run`, `runs`, `RUN`) stands for. */
export function objectNamed(word: string): ObjectSpec | undefined {
  const lower = word.toLowerCase();
  return OBJECTS.find((object) => object.words.includes(lower));
}

/** The commands that can be given on a surface. */
export function commandsOn(surface: Surface): readonly CommandSpec[] {
  return (COMMANDS as readonly CommandSpec[]).filter((row) => row.surfaces.includes(surface));
}
