import type { CommandName, CommandOf } from '@/lib/commands/registry';
import type { ArgsOf } from '@/lib/commands/types';
import * as bulk from '@/server/cli/bulk-commands';
import type { CliContext } from '@/server/cli/context';
import { runOrchestrate } from '@/server/cli/orchestrate';
import * as run from '@/server/cli/run-commands';
import * as schedule from '@/server/cli/schedule-commands';
import * as secret from '@/server/cli/secret-commands';
import * as serverAdmin from '@/server/cli/server-admin-commands';
import * as server from '@/server/cli/server-commands';
import * as system from '@/server/cli/system-commands';
import * as workflow from '@/server/cli/workflow-commands';

/** Carries a command out and returns the exit code. */
export type Handler<A> = (args: A, context: CliContext) => Promise<number>;

/** One handler for each row of the registry: the compiler refuses a row without one. */
export const HANDLERS: { readonly [N in CommandName]: Handler<ArgsOf<CommandOf<N>>> } = {
  orchestrate: runOrchestrate,
  'run list': run.listRuns,
  'run show': run.showRun,
  'run watch': run.watchRun,
  'run events': run.listEvents,
  'run signal': run.signalRun,
  'run cancel': run.cancelRun,
  'workflow list': workflow.listWorkflows,
  'workflow show': workflow.showWorkflow,
  'workflow validate': workflow.validateWorkflow,
  'workflow register': workflow.registerWorkflow,
  'server list': server.listServers,
  'server inspect': server.inspectServer,
  'server call': server.callServer,
  'server tools': serverAdmin.listTools,
  'server accept': serverAdmin.acceptTools,
  'server test': serverAdmin.testServer,
  'server logs': serverAdmin.listLogs,
  'server events': serverAdmin.listEvents,
  'server add': serverAdmin.addServer,
  'server edit': serverAdmin.editServer,
  'server remove': serverAdmin.removeServer,
  'server import': serverAdmin.importServers,
  'server authorize': serverAdmin.authorizeServer,
  'secret list': secret.listSecrets,
  'secret set': secret.setSecret,
  'secret remove': secret.removeSecret,
  'schedule list': schedule.listSchedules,
  'schedule show': schedule.showSchedule,
  'schedule create': schedule.createSchedule,
  'schedule update': schedule.updateSchedule,
  'schedule delete': schedule.deleteSchedule,
  'schedule pause': schedule.pauseSchedule,
  'schedule resume': schedule.resumeSchedule,
  'schedule trigger': schedule.triggerSchedule,
  'schedule backfill': schedule.backfillSchedule,
  'schedule times': schedule.listTimes,
  'bulk run': bulk.runBulk,
  'bulk list': bulk.listBulk,
  'bulk show': bulk.showBulk,
  'bulk stop': bulk.stopBulk,
  start: system.startInstance,
  health: system.showHealth,
  help: system.showHelp,
  version: system.showVersion,
};
