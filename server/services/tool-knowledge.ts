import type { Knowledge } from '@/lib/engine/validate';
import type { McpFleet } from '@/server/ports/mcp-fleet';

/**
 * What validation may know: every configured server, and the tools of those that the definition names and that answer. A
 * server that cannot be reached counts as known without tools, so that it does not fail the check.
 */
export function toolKnowledge(fleet: McpFleet) {
  return async (organizationId: string, named: readonly string[]): Promise<Knowledge> => {
    const configured = (await fleet.list(organizationId)).map((server) => server.name);
    const known = await Promise.all(
      configured.map(async (server) => {
        if (!named.includes(server)) return [server, new Map()] as const;
        try {
          const { toolList } = await fleet.inspect(organizationId, server);
          return [server, new Map(toolList.map((tool) => [tool.name, tool]))] as const;
        } catch {
          return [server, new Map()] as const;
        }
      }),
    );
    return { servers: new Map(known) };
  };
}
