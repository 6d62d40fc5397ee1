import type { Knowledge } from '@/lib/engine/validate';
import type { McpFleet } from '@/server/ports/mcp-fleet';

/**
 * What validation may know of the servers a definition names: which exist, and the tools of those that answer. A
 * server that cannot be reached is left out of the tool check rather than failing it.
 */
export function toolKnowledge(fleet: McpFleet) {
  return async (organizationId: string, servers: readonly string[]): Promise<Knowledge> => {
    const configured = new Set((await fleet.list(organizationId)).map((server) => server.name));
    const known = await Promise.all(
      servers
        .filter((server) => configured.has(server))
        .map(async (server) => {
          try {
            const { toolList } = await fleet.inspect(organizationId, server);
            return [server, new Map(toolList.map((tool) => [tool.name, tool]))] as const;
          } catch {
            return [server, null] as const;
          }
        }),
    );
    return { servers: new Map(known) };
  };
}
