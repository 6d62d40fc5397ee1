import { createHash } from 'node:crypto';
import type { Tool } from '@/lib/protocol/api';
import { diffTools, inspectTool, type ToolChange, type ToolFinding, toolText } from '@/lib/registry/tool-pin';
import type { PinnedTool, ToolPinPolicy, ToolPinStore } from '@/server/ports/mcp-fleet';

/** What the guard of one server needs. */
export interface ToolGuardOptions {
  organizationId: string;
  server: string;
  policy: ToolPinPolicy;
  store: ToolPinStore;
  now: () => number;
  onChanged: (changes: ToolChange[], blocked: string[]) => void;
  onSuspicious: (findings: ToolFinding[]) => void;
}

/** Hash of a definition: what it was when it was accepted. */
export function toolHash(tool: Tool): string {
  return createHash('sha256').update(toolText(tool)).digest('hex');
}

/**
 * Holds the tools of one server against their accepted definitions. The first list seen is accepted as it is; a later
 * difference is told once and, under the policy `block`, bars the tools concerned until somebody accepts them.
 */
export class ToolGuard {
  private pins: PinnedTool[] | undefined;
  private present: Tool[] = [];
  private blocked = new Map<string, ToolChange>();
  private told = '';

  constructor(private readonly options: ToolGuardOptions) {}

  /** Differences between the accepted and the present definitions. */
  get changes(): ToolChange[] {
    if (this.pins === undefined) return [];
    return diffTools(
      this.pins.map((pin) => pin.tool),
      this.present,
    );
  }

  /** The change because of which a tool may not be called, if any. */
  blockedBy(tool: string): ToolChange | undefined {
    return this.blocked.get(tool);
  }

  /** Looks at a list that was just read. */
  async check(tools: Tool[]): Promise<void> {
    const { policy, store, organizationId, server } = this.options;
    if (policy === 'off') return;
    this.present = tools;
    this.pins = await store.load(organizationId, server);
    if (this.pins === undefined) {
      await this.accept();
      const names = tools.map((tool) => tool.name);
      this.tellFindings(tools.flatMap((tool) => inspectTool(tool, names)));
      return;
    }
    this.compare(this.pins, tools);
  }

  /** Accepts the tools as they are now. */
  async accept(): Promise<void> {
    const { store, organizationId, server, now } = this.options;
    const acceptedAt = now();
    const known = new Map((this.pins ?? []).map((pin) => [pin.hash, pin]));
    this.pins = this.present.map((tool) => {
      const hash = toolHash(tool);
      return known.get(hash) ?? { hash, tool, acceptedAt };
    });
    await store.save(organizationId, server, this.pins);
    this.blocked = new Map();
    this.told = '';
  }

  private compare(pins: readonly PinnedTool[], tools: Tool[]): void {
    const accepted = new Set(pins.map((pin) => pin.hash));
    const changed = tools.filter((tool) => !accepted.has(toolHash(tool)));
    const changes = changed.length === 0 && tools.length === pins.length ? [] : this.changes;
    const barred = changes.filter((change) => change.kind !== 'removed');
    this.blocked = new Map(
      this.options.policy === 'block' ? barred.map((change) => [change.tool, change]) : [],
    );
    const text = changes.map((change) => change.text).join('\n');
    if (text === this.told) return;
    this.told = text;
    if (changes.length > 0) this.options.onChanged(changes, [...this.blocked.keys()]);
    const names = tools.map((tool) => tool.name);
    this.tellFindings(changed.flatMap((tool) => inspectTool(tool, names)));
  }

  private tellFindings(findings: ToolFinding[]): void {
    if (findings.length > 0) this.options.onSuspicious(findings);
  }
}
