import { apply } from '@/lib/engine/apply';
import type { Command } from '@/lib/engine/commands';
import type { Lookup } from '@/lib/engine/expression/compile-expression';
import { lookupFor } from '@/lib/engine/lookup';
import type { Program } from '@/lib/engine/program';
import type { EngineEvent, EventData, EventType, NodeState, RunState } from '@/lib/engine/types';

/** One transition while it is being worked out: events are folded as they are emitted, commands are collected. */
export class Turn {
  readonly events: EngineEvent[] = [];
  private commands: Command[] = [];
  /** Calls that were scheduled in this very turn: the host has not seen them yet. */
  private readonly fresh = new Set<string>();

  constructor(
    readonly program: Program,
    readonly state: RunState,
    readonly at: number,
  ) {}

  /** Records a decision: the event is folded at once. */
  emit<T extends EventType>(type: T, data: EventData<T>): void {
    this.take({ type, at: this.at, data } as EngineEvent);
  }

  /** Folds and records an event. */
  take(event: EngineEvent): void {
    apply(this.program, this.state, event);
    this.events.push(event);
  }

  /** @param isOpen the host has the call open already: it was begun in an earlier turn */
  command(command: Command, isOpen = false): void {
    if (command.type === 'RUN_ACTIVITY' && !isOpen) this.fresh.add(command.activityId);
    this.commands.push(command);
  }

  /** True when the host cannot have begun the call: its command is still in our hands. */
  isFresh(activityId: string): boolean {
    return this.fresh.has(activityId);
  }

  /** The commands, without the calls that were given up before anybody saw them. */
  collected(): Command[] {
    if (this.fresh.size === 0 || !this.commands.some((command) => command.type === 'CANCEL_ACTIVITY'))
      return this.commands;
    const dropped = new Set<string>();
    for (const command of this.commands) {
      if (command.type === 'CANCEL_ACTIVITY' && this.fresh.has(command.activityId))
        dropped.add(command.activityId);
    }
    return this.commands.filter(
      (command) =>
        !('activityId' in command && dropped.has(command.activityId)) ||
        // The task that its server made of an attempt before is there all the same.
        (command.type === 'CANCEL_ACTIVITY' && command.task !== undefined),
    );
  }

  /** What expressions of a node see. */
  lookup(node: NodeState): Lookup {
    return lookupFor(this.program, this.state, node.scope);
  }
}
