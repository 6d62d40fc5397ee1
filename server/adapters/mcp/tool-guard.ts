import { createHash } from 'node:crypto';
import type { Tool } from '@/lib/protocol/api';
import { AppError } from '@/lib/protocol/errors';
import { diffTools, inspectTool, type ToolChange, type ToolFinding, toolText } from '@/lib/registry/tool-pin';
import type { PinnedTool, ToolPinPolicy, ToolPinStore } from '@/server/ports/mcp-fleet';

/** What the guard of one server needs. */
export interface ToolGuardOptions {
  organizationId: string;
  server: string;
  policy: () => ToolPinPolicy;
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

  /** The same, after a look whether it was accepted meanwhile through another process. */
  async stillBlockedBy(tool: string): Promise<ToolChange | undefined> {
    if (!this.blocked.has(tool)) return undefined;
    await this.check(this.present);
    return this.blocked.get(tool);
  }

  /** Looks at a list that was just read. */
  async check(tools: Tool[]): Promise<void> {
    const { policy, store, organizationId, server } = this.options;
    this.present = tools;
    if (policy() === 'off') {
      this.blocked = new Map();
      return;
    }
    this.pins = await store.load(organizationId, server);
    if (this.pins === undefined) {
      await this.accept();
      const names = tools.map((tool) => tool.name);
      this.tellFindings(tools.flatMap((tool) => inspectTool(tool, names)));
      return;
    }
    this.compare(this.pins, tools);
  }

  /** Accepts the tools as they are now: all of them, or those named. Throws TOOL_NOT_FOUND. */
  async accept(names?: readonly string[]): Promise<void> {
    const { store, organizationId, server, now } = this.options;
    const acceptedAt = now();
    const before = this.pins ?? [];
    const known = new Map(before.map((pin) => [pin.hash, pin]));
    for (const name of names ?? []) {
      if ([...this.present, ...before.map((pin) => pin.tool)].some((tool) => tool.name === name)) continue;
      throw new AppError('TOOL_NOT_FOUND', `${server} has no tool ${name}.`);
    }
    const accepts = (name: string) => names === undefined || names.includes(name);
    const kept = before.filter((pin) => !accepts(pin.tool.name));
    const taken = this.present.filter((tool) => accepts(tool.name));
    const pins = taken.map((tool) => {
      const hash = toolHash(tool);
      return known.get(hash) ?? { hash, tool, acceptedAt };
    });
    this.pins = [...pins, ...kept];
    await store.save(organizationId, server, this.pins);
    this.told = '';
    this.blocked = this.barred(this.changes);
  }

  private barred(changes: readonly ToolChange[]): Map<string, ToolChange> {
    if (this.options.policy() !== 'block') return new Map();
    return new Map(changes.flatMap((change) => (change.kind === 'removed' ? [] : [[change.tool, change]])));
  }

  private compare(pins: readonly PinnedTool[], tools: Tool[]): void {
    const accepted = new Set(pins.map((pin) => pin.hash));
    const changed = tools.filter((tool) => !accepted.has(toolHash(tool)));
    const changes = changed.length === 0 && tools.length === pins.length ? [] : this.changes;
    this.blocked = this.barred(changes);
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
