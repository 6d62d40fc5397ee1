import type { CommandName, CommandOf } from '@/lib/commands/registry';
import type { ArgsOf } from '@/lib/commands/types';
import * as alert from '@/server/cli/alert-commands';
import { answerRun } from '@/server/cli/answer-command';
import * as backups from '@/server/cli/backup-commands';
import * as bulk from '@/server/cli/bulk-commands';
import { printCompletion } from '@/server/cli/completion-commands';
import type { CliContext } from '@/server/cli/context';
import { erasePerson } from '@/server/cli/erase-command';
import * as hook from '@/server/cli/hook-commands';
import * as identity from '@/server/cli/identity-commands';
import * as inspect from '@/server/cli/inspect-commands';
import { rotateKey } from '@/server/cli/key-commands';
import { runOrchestrate } from '@/server/cli/orchestrate';
import { savePayload } from '@/server/cli/payload-command';
import * as profile from '@/server/cli/profile-commands';
import * as again from '@/server/cli/run-again-commands';
import * as run from '@/server/cli/run-commands';
import * as control from '@/server/cli/run-control-commands';
import * as schedule from '@/server/cli/schedule-commands';
import * as secret from '@/server/cli/secret-commands';
import * as serverAdmin from '@/server/cli/server-admin-commands';
import * as server from '@/server/cli/server-commands';
import * as settings from '@/server/cli/settings-commands';
import { viewSharing, workflowSharing } from '@/server/cli/sharing-commands';
import * as starters from '@/server/cli/starter-commands';
import * as system from '@/server/cli/system-commands';
import * as team from '@/server/cli/team-commands';
import { showTop } from '@/server/cli/top-command';
import * as view from '@/server/cli/view-commands';
import * as webhook from '@/server/cli/webhook-commands';
import * as workflow from '@/server/cli/workflow-commands';
import * as versions from '@/server/cli/workflow-version-commands';

/** Carries a command out and returns the exit code. */
export type Handler<A> = (args: A, context: CliContext) => Promise<number>;

/** One handler for each row of the registry: the compiler refuses a row without one. */
export const HANDLERS: { readonly [N in CommandName]: Handler<ArgsOf<CommandOf<N>>> } = {
  orchestrate: runOrchestrate,
  'run list': run.listRuns,
  'run show': run.showRun,
  'run watch': run.watchRun,
  'run events': run.listEvents,
  'run event': inspect.showEvent,
  'run step': inspect.showStep,
  'run timeline': inspect.showTimeline,
  'run metrics': inspect.showMetrics,
  'run history': again.showHistory,
  'run payload': savePayload,
  'run signal': run.signalRun,
  'run answer': answerRun,
  'run pause': control.pauseRun,
  'run resume': control.resumeRun,
  'run approve': control.approveRun,
  'run reject': control.rejectRun,
  'run resolve': control.resolveRun,
  'run cancel': run.cancelRun,
  'run terminate': control.terminateRun,
  'run retry': again.retryRun,
  'run rerun': again.rerunRun,
  'run restart': again.restartRun,
  'task list': control.listTasks,
  'view list': view.listViews,
  'view sharing': viewSharing.show,
  'view share': viewSharing.share,
  'view unshare': viewSharing.unshare,
  'view restrict': viewSharing.restrict,
  'view unrestrict': viewSharing.unrestrict,
  'view show': view.showView,
  'view save': view.saveView,
  'view remove': view.removeView,
  events: inspect.listAllEvents,
  top: showTop,
  'workflow sharing': workflowSharing.show,
  'workflow share': workflowSharing.share,
  'workflow unshare': workflowSharing.unshare,
  'workflow restrict': workflowSharing.restrict,
  'workflow unrestrict': workflowSharing.unrestrict,
  'workflow list': workflow.listWorkflows,
  'workflow show': workflow.showWorkflow,
  'workflow validate': workflow.validateWorkflow,
  'workflow register': workflow.registerWorkflow,
  'workflow versions': versions.listVersions,
  'workflow export': versions.exportWorkflow,
  'workflow plan': versions.planWorkflow,
  'workflow starters': starters.listStarters,
  'workflow starter': starters.showStarter,
  'server list': server.listServers,
  'server inspect': server.inspectServer,
  'server call': server.callServer,
  'server tools': serverAdmin.listTools,
  'server accept': serverAdmin.acceptTools,
  'server test': serverAdmin.testServer,
  'server health': inspect.showServerHealth,
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
  'secret rotate-key': rotateKey,
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
  'schedule preview': inspect.previewSchedule,
  'hook list': hook.listHooks,
  'hook show': hook.showHook,
  'hook add': hook.addHook,
  'hook edit': hook.editHook,
  'hook remove': hook.removeHook,
  'hook rotate': hook.rotateHook,
  'hook deliveries': hook.listHookDeliveries,
  'webhook list': webhook.listWebhooks,
  'webhook show': webhook.showWebhook,
  'webhook add': webhook.addWebhook,
  'webhook edit': webhook.editWebhook,
  'webhook remove': webhook.removeWebhook,
  'webhook rotate': webhook.rotateWebhook,
  'webhook deliveries': webhook.listWebhookDeliveries,
  'webhook replay': webhook.replayWebhook,
  'webhook test': webhook.testWebhook,
  'alert list': alert.listAlerts,
  'alert rules': alert.showRules,
  'alert set': alert.setRules,
  'bulk start': bulk.runBulk,
  'bulk list': bulk.listBulk,
  'bulk show': bulk.showBulk,
  'bulk stop': bulk.stopBulk,
  'settings list': settings.listSettings,
  'settings get': settings.getSetting,
  'settings set': settings.setSetting,
  'settings instance': settings.listInstanceSettings,
  whoami: identity.whoAmI,
  'member list': identity.listMembers,
  'member invite': identity.inviteMember,
  'user erase': erasePerson,
  'role list': identity.listRoles,
  'team list': team.listTeams,
  'team create': team.createTeam,
  'team rename': team.renameTeam,
  'team delete': team.deleteTeam,
  'team add': team.addToTeam,
  'team remove': team.removeFromTeam,
  'scim list': team.listScimTokens,
  'scim token': team.createScimToken,
  'scim remove': team.removeScimToken,
  'key list': identity.listKeys,
  'key create': identity.createKey,
  'key remove': identity.removeKey,
  'audit list': identity.listAudit,
  'audit verify': identity.verifyAudit,
  'audit export': identity.exportAudit,
  'quota show': identity.showQuotas,
  'profile add': profile.addProfile,
  'profile list': profile.listProfiles,
  'profile show': profile.showProfile,
  'profile use': profile.useProfile,
  'profile remove': profile.removeProfile,
  backup: backups.backupDatabase,
  restore: backups.restoreDatabase,
  start: system.startInstance,
  health: system.showHealth,
  help: system.showHelp,
  version: system.showVersion,
  openapi: inspect.printOpenApi,
  completion: printCompletion,
};
