import type { PinnedTool, ToolPinStore } from '@/server/ports/mcp-fleet';

/** Accepted tool definitions in memory: forgotten with the process. */
export class MemoryToolPinStore implements ToolPinStore {
  private readonly pins = new Map<string, PinnedTool[]>();

  async load(organizationId: string, server: string): Promise<PinnedTool[] | undefined> {
    return this.pins.get(`${organizationId}\u0000${server}`);
  }

  async save(organizationId: string, server: string, tools: PinnedTool[]): Promise<void> {
    this.pins.set(`${organizationId}\u0000${server}`, tools);
  }
}
