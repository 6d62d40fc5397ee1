import type { Actor } from '@/lib/protocol/actor';
import type { CallToolResultBody, ServerDetail, ServerSummary } from '@/lib/protocol/api';
import { AppError, isErrorCode } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { JsonObject } from '@/lib/shared/json';
import type { AuditLog } from '@/server/ports/audit-log';
import type { McpFleet } from '@/server/ports/mcp-fleet';

const DIRECT_CALL_TIMEOUT_MS = 60_000;

export interface ServerServiceDeps {
  fleet: McpFleet;
  audit: AuditLog;
  newId: () => string;
}

/** Use cases around MCP servers. */
export class ServerService {
  constructor(private readonly deps: ServerServiceDeps) {}

  async list(actor: Actor): Promise<ServerSummary[]> {
    requirePermission(actor, 'servers:read');
    return this.deps.fleet.list(actor.organizationId);
  }

  /** Throws SERVER_NOT_FOUND or what kept us from connecting. */
  async inspect(actor: Actor, name: string): Promise<ServerDetail> {
    requirePermission(actor, 'servers:read');
    return this.deps.fleet.inspect(actor.organizationId, name, actor.id);
  }

  /** Calls a tool once, without retries; a tool's own error comes back as a result with isError. */
  async call(
    actor: Actor,
    server: string,
    tool: string,
    args: JsonObject,
    signal: AbortSignal,
  ): Promise<CallToolResultBody> {
    requirePermission(actor, 'servers:call');
    const { fleet, audit, newId } = this.deps;
    await fleet.tool(actor.organizationId, server, tool, actor.id);
    await audit.record(actor, 'server.call', `${server}/${tool}`, {});
    const outcome = await fleet.call({
      organizationId: actor.organizationId,
      server,
      tool,
      arguments: args,
      idempotencyKey: `direct:${newId()}`,
      timeoutMs: DIRECT_CALL_TIMEOUT_MS,
      subject: actor.id,
      signal,
    });
    if (!outcome.ok) {
      const { code, message, details } = outcome.failure;
      throw new AppError(isErrorCode(code) ? code : 'PROTOCOL_ERROR', message, {
        details,
        path: '/arguments',
      });
    }
    const { isError, content, structuredContent, durationMs } = outcome.result;
    return { isError, content, structuredContent, durationMs };
  }
}
