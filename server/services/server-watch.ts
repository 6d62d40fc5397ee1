import type { Actor } from '@/lib/protocol/actor';
import type {
  HealthHistoryBody,
  HealthReportBody,
  ServerEventBody,
  ServerLogBody,
  ServerTool,
} from '@/lib/protocol/api-servers';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { AuditLog } from '@/server/ports/audit-log';
import type { HealthReport, ManagedMcpFleet } from '@/server/ports/mcp-fleet';
import type { ServerHistory } from '@/server/ports/server-store';
import type { MergedServerRegistry } from '@/server/services/server-registry';

const HISTORY_LENGTH = 200;

export interface ServerWatchDeps {
  fleet: ManagedMcpFleet;
  registry: MergedServerRegistry;
  history: ServerHistory;
  audit: AuditLog;
}

/** Use cases around the state of servers: tests, logs, history, tools and their acceptance, granting access. */
export class ServerWatch {
  constructor(private readonly deps: ServerWatchDeps) {}

  /** Speaks MCP with the server now. Throws SERVER_NOT_FOUND only: anything else is the report. */
  async test(actor: Actor, server: string): Promise<HealthReportBody> {
    requirePermission(actor, 'servers:call');
    return shown(await this.deps.fleet.probe(actor.organizationId, server, actor.id));
  }

  /** Throws SERVER_NOT_FOUND. */
  async logs(actor: Actor, server: string): Promise<ServerLogBody> {
    requirePermission(actor, 'servers:call');
    const lines = await this.deps.fleet.logs(actor.organizationId, server);
    return { items: lines.map((line) => ({ ...line, at: new Date(line.at).toISOString() })) };
  }

  /** The newest probes, whichever process made them. Throws SERVER_NOT_FOUND. */
  async health(actor: Actor, server: string): Promise<HealthHistoryBody> {
    requirePermission(actor, 'servers:read');
    await this.mustExist(actor, server);
    const reports = await this.deps.history.probes(actor.organizationId, server, HISTORY_LENGTH);
    const good = reports.filter((report) => report.state === 'OPEN').map((report) => report.latencyMs);
    good.sort((a, b) => a - b);
    const at = (share: number) => good[Math.min(good.length - 1, Math.floor(share * good.length))] ?? 0;
    return {
      reports: reports.map(shown),
      uptime: reports.length === 0 ? null : good.length / reports.length,
      latencyMs: good.length === 0 ? null : { p50: at(0.5), p95: at(0.95) },
    };
  }

  /** Every tool, and how it stands to its accepted definition. Throws what keeps us from connecting. */
  async tools(actor: Actor, server: string): Promise<ServerTool[]> {
    requirePermission(actor, 'servers:read');
    const { fleet, registry } = this.deps;
    const { toolList } = await fleet.inspect(actor.organizationId, server, actor.id);
    const changes = new Map(
      (await fleet.toolChanges(actor.organizationId, server)).map((change) => [change.tool, change]),
    );
    const blocks = registry.toolPolicy(actor.organizationId, server) === 'block';
    const present = toolList.map((tool): ServerTool => {
      const change = changes.get(tool.name);
      const state = change?.kind ?? 'accepted';
      return {
        name: tool.name,
        state,
        blocked: blocks && change !== undefined,
        change: change?.text ?? null,
        tool,
      };
    });
    const gone = [...changes.values()].filter((change) => change.kind === 'removed');
    return [
      ...present,
      ...gone.map(
        (change): ServerTool => ({
          name: change.tool,
          state: 'removed',
          blocked: false,
          change: change.text,
          tool: null,
        }),
      ),
    ];
  }

  /** Accepts the definitions as they are now. Throws TOOL_NOT_FOUND, and what keeps us from connecting. */
  async accept(actor: Actor, server: string, tools: readonly string[] | undefined): Promise<ServerTool[]> {
    requirePermission(actor, 'servers:manage');
    const { fleet, audit } = this.deps;
    await fleet.acceptTools(actor.organizationId, server, tools, actor.id);
    await audit.record(actor, 'server.accept', server, { tools: tools === undefined ? '*' : [...tools] });
    return this.tools(actor, server);
  }

  /** The page on which a person grants access; null when access works already. */
  async authorize(actor: Actor, server: string): Promise<{ url: string | null }> {
    requirePermission(actor, 'servers:manage');
    const { fleet, audit } = this.deps;
    await audit.record(actor, 'server.authorize', server, {});
    return { url: await fleet.authorize(actor.organizationId, server, actor.id) };
  }

  /** Takes what the person's browser came back with. Throws FORBIDDEN, SERVER_AUTH_REQUIRED. */
  async finishAuthorization(actor: Actor, parameters: URLSearchParams): Promise<{ server: string }> {
    requirePermission(actor, 'servers:manage');
    const { fleet } = this.deps;
    const { server } = await fleet.finishAuthorization(actor.organizationId, parameters, actor.id);
    await this.deps.audit.record(actor, 'server.authorized', server, {});
    return { server };
  }

  /** What happened to one server, or to all; newest first. Throws SERVER_NOT_FOUND. */
  async events(
    actor: Actor,
    server: string | undefined,
    limit: number,
    before: number | undefined,
  ): Promise<{ items: ServerEventBody[]; nextCursor: string | null }> {
    requirePermission(actor, 'servers:read');
    if (server !== undefined) await this.mustExist(actor, server);
    const rows = await this.deps.history.events(actor.organizationId, {
      limit,
      ...(server === undefined ? {} : { server }),
      ...(before === undefined ? {} : { before }),
    });
    const items = rows.map((row) => ({
      ...row,
      at: new Date(row.at).toISOString(),
      data: row.data as Record<string, unknown>,
    }));
    return { items, nextCursor: items.length < limit ? null : String(items.at(-1)?.id ?? '') };
  }

  private async mustExist(actor: Actor, server: string): Promise<void> {
    const config = await this.deps.registry.find(actor.organizationId, server);
    if (config === undefined) throw new AppError('SERVER_NOT_FOUND', `There is no server ${server}.`);
  }
}

function shown(report: HealthReport): HealthReportBody {
  return { ...report, at: new Date(report.at).toISOString() };
}
