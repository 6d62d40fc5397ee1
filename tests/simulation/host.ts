import { isDeepStrictEqual } from 'node:util';
import type { Command, RequestApproval, RunActivity, StartChild } from '@/lib/engine/commands';
import type { Program } from '@/lib/engine/program';
import { findCall } from '@/lib/engine/state';
import { apply, createRun, outstanding, replay, step } from '@/lib/engine/step';
import { startedEvent } from '@/lib/engine/testing';
import type { EngineEvent, EventData, EventType, RunState } from '@/lib/engine/types';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { Seed } from '@/lib/protocol/events-run';
import type { Json } from '@/lib/shared/json';

/** What a host keeps in memory; all of it is lost in a crash and rebuilt from `outstanding`. */
interface Memory {
  calls: Map<string, RunActivity>;
  cancelling: Set<string>;
  timers: Map<string, number>;
  approvals: Map<string, RequestApproval>;
  children: Map<string, { command: StartChild; started: boolean }>;
  /** Calls that were open for a person's answer when their process ended. */
  lost: Set<string>;
}

const empty = (): Memory => ({
  calls: new Map(),
  cancelling: new Set(),
  timers: new Map(),
  approvals: new Map(),
  children: new Map(),
  lost: new Set(),
});

/**
 * A host without database and network: keeps the history, carries out commands in memory, and checks at every transition
 * that folding the events gives the very state that stepping gave.
 */
export class SimulatedHost {
  state: RunState;
  /** The fold of the same events, on its own. */
  private shadow: RunState;
  readonly history: EngineEvent[] = [];
  memory = empty();
  now = 1_800_000_000_000;
  /** Sizes of the history after every transition. */
  readonly boundaries: number[] = [];
  readonly commands: Command[] = [];

  constructor(
    readonly program: Program,
    definition: WorkflowDefinition,
    input: Json,
    seeds?: Record<string, Seed>,
    /** Begins calls in the commit that schedules them, where it may. */
    private readonly eager = false,
  ) {
    const started = startedEvent(definition, input, this.now, seeds === undefined ? {} : { seeds });
    const first = createRun(program, started);
    this.state = first.state;
    this.shadow = replay(program, first.events);
    this.record(first.events, first.commands);
  }

  get closed(): boolean {
    return this.state.closedAt !== undefined;
  }

  /** Feeds an event in; true when it fitted. */
  send<T extends EventType>(type: T, data: EventData<T>): boolean {
    const before = this.state.historyLength;
    const { state, events, commands } = step(this.program, this.state, {
      type,
      at: this.now,
      data,
    } as EngineEvent);
    this.state = state;
    if (events.length === 0) {
      if (state.historyLength !== before || commands.length > 0)
        throw new Error(`${type} did not fit but changed something.`);
      return false;
    }
    for (const event of events) this.shadow = apply(this.program, this.shadow, event);
    this.record(events, commands);
    return true;
  }

  private record(events: readonly EngineEvent[], commands: readonly Command[]): void {
    this.history.push(...events);
    this.boundaries.push(this.history.length);
    this.commands.push(...commands);
    if (!isDeepStrictEqual(this.shadow, this.state))
      throw new Error(`Stepping and folding differ after event ${this.history.length} (${events[0]?.type}).`);
    if (this.state.historyLength !== this.history.length)
      throw new Error('The state counts its history wrongly.');
    const fresh = new Set<string>();
    for (const command of commands) {
      // The answers for an open call are given to it although it is then to stop.
      if (command.type === 'RUN_ACTIVITY' && command.resume?.input.durable !== false)
        fresh.add(command.activityId);
      if (command.type === 'CANCEL_ACTIVITY' && fresh.has(command.activityId)) {
        throw new Error(`${command.activityId} is asked for and cancelled in one breath.`);
      }
      this.carryOut(command);
    }
    if (this.closed) this.checkLeftovers(commands);
    else if (this.eager && !this.state.paused) this.begin(commands);
  }

  /** Calls that were just asked for are on record as begun before anything else happens, in the same commit. */
  private begin(commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.type !== 'RUN_ACTIVITY' || command.started !== undefined) continue;
      const { activityId, attempt } = command;
      this.boundaries.pop();
      if (!this.send('ACTIVITY_TASK_STARTED', { activityId, attempt, retrySafe: false, worker: 'w1' }))
        this.boundaries.push(this.history.length);
    }
  }

  /** A closed run leaves nothing behind: timers ended, approvals closed, calls cancelled, children stopped or let go. */
  private checkLeftovers(commands: readonly Command[]): void {
    const { timers, approvals, calls, cancelling, children } = this.memory;
    if (timers.size > 0) throw new Error(`The run closed with open timers: ${[...timers.keys()]}.`);
    if (approvals.size > 0) throw new Error(`The run closed with open approvals: ${[...approvals.keys()]}.`);
    for (const id of calls.keys())
      if (!cancelling.has(id)) throw new Error(`The run closed while ${id} was left running.`);
    for (const { command } of children.values()) {
      if (command.parentClosePolicy !== 'abandon')
        throw new Error(`The run closed while its child at ${command.nodePath} was left running.`);
    }
    if (commands.filter((command) => command.type === 'CLOSE_RUN').length !== 1)
      throw new Error('A closed run must be closed once.');
  }

  private carryOut(command: Command): void {
    const { memory } = this;
    switch (command.type) {
      case 'RUN_ACTIVITY':
        memory.calls.set(command.activityId, command);
        memory.lost.delete(command.activityId);
        return;
      case 'CANCEL_ACTIVITY':
        if (memory.lost.delete(command.activityId)) {
          this.findOut(command.activityId);
          return;
        }
        if (!memory.calls.has(command.activityId))
          throw new Error(`${command.activityId} is cancelled but was never to be made.`);
        memory.cancelling.add(command.activityId);
        return;
      case 'START_TIMER':
        memory.timers.set(command.timerId, command.fireAt);
        return;
      case 'CANCEL_TIMER':
        memory.timers.delete(command.timerId);
        return;
      case 'START_CHILD':
        memory.children.set(command.nodePath, { command, started: false });
        return;
      case 'CANCEL_CHILD':
      case 'TERMINATE_CHILD':
        memory.children.delete(command.nodePath);
        return;
      case 'REQUEST_APPROVAL':
        memory.approvals.set(command.approvalId, command);
        return;
      case 'CLOSE_APPROVAL':
        memory.approvals.delete(command.approvalId);
        return;
      default:
    }
  }

  /** What became of a call whose process ended while it was open: asked for again by the next owner, once it is to stop. */
  private findOut(activityId: string): void {
    for (const command of outstanding(this.program, this.state))
      if ('activityId' in command && command.activityId === activityId) this.carryOut(command);
  }

  /** The process dies: memory is lost, the state is folded anew, open work is taken from `outstanding`. */
  crash(): void {
    const before = this.memory;
    const folded = replay(this.program, this.history);
    if (!isDeepStrictEqual(folded, this.state))
      throw new Error('The replayed state differs from the live one.');
    this.state = folded;
    this.shadow = replay(this.program, this.history);
    this.memory = empty();
    const again = outstanding(this.program, this.state);
    for (const command of again) this.carryOut(command);
    for (const id of [...before.calls.keys(), ...before.lost])
      if (!this.memory.calls.has(id) && this.isAsked(id)) this.memory.lost.add(id);
    this.checkOutstanding(before);
    // Children that run already are known to the host by other means.
    for (const node of this.state.nodes.values()) {
      const known = before.children.get(node.path);
      if (node.child?.open && node.child.childRunId !== undefined && known !== undefined)
        this.memory.children.set(node.path, { ...known, started: true });
    }
  }

  /** What `outstanding` gives must be exactly what commands had asked for and nobody has answered. */
  private checkOutstanding(before: Memory): void {
    for (const [name, was, is] of [
      ['timers', before.timers, this.memory.timers],
      ['approvals', before.approvals, this.memory.approvals],
    ] as const) {
      const [a, b] = [[...was.keys()].sort(), [...is.keys()].sort()];
      if (!isDeepStrictEqual(a, b))
        throw new Error(`Outstanding ${name} ${JSON.stringify(b)}; commands had left ${JSON.stringify(a)}.`);
    }
    for (const [id, command] of this.memory.calls) {
      const asked = before.calls.get(id);
      // It was open for an answer, and is to be found out about now that it is to stop.
      if (this.isAsked(id)) continue;
      if (asked === undefined) throw new Error(`${id} is outstanding but no command asked for it.`);
      const { started: _a, ...rest } = command;
      const { started: _b, ...restBefore } = asked;
      if (!isDeepStrictEqual(rest, restBefore))
        throw new Error(`${id} is outstanding in another form than it was asked for.`);
    }
    for (const id of before.calls.keys()) {
      if (!this.memory.calls.has(id) && !this.memory.lost.has(id) && !before.cancelling.has(id))
        throw new Error(`${id} was asked for, never answered, and is not outstanding.`);
    }
  }

  /** A call waits, or waited until it was answered just now, for a person. */
  private isAsked(activityId: string): boolean {
    return findCall(this.state, activityId)?.call.status === 'input_required';
  }

  /** A call has been answered (whatever the engine made of the answer). */
  answered(activityId: string): void {
    this.memory.calls.delete(activityId);
    this.memory.cancelling.delete(activityId);
  }
}
