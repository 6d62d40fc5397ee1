import type { Command, RunActivity } from '@/lib/engine/commands';
import { compile } from '@/lib/engine/compile';
import { ENGINE_FLAGS } from '@/lib/engine/flags';
import type { Program } from '@/lib/engine/program';
import { createRun, step } from '@/lib/engine/step';
import type {
  EngineEvent,
  EventData,
  EventType,
  NodeState,
  RunState,
  StartedEvent,
} from '@/lib/engine/types';
import { type WorkflowDefinition, workflowDefinitionSchema } from '@/lib/protocol/definition';
import type { Seed } from '@/lib/protocol/events-run';
import type { Json } from '@/lib/shared/json';

/** First event of a run for tests, the simulation and previews. */
export function startedEvent(
  definition: WorkflowDefinition,
  input: Json,
  at: number,
  more: { seeds?: Record<string, Seed>; runId?: string } = {},
): StartedEvent {
  const { runId = 'run-1', seeds } = more;
  return {
    type: 'WORKFLOW_EXECUTION_STARTED',
    at,
    data: {
      runId,
      workflowId: 'chain-1',
      organizationId: '00000000-0000-0000-0000-000000000001',
      workflow: definition.name,
      version: 1,
      definitionHash: 'unhashed',
      input,
      startedBy: 'tester',
      flags: [...ENGINE_FLAGS],
      ...(seeds === undefined ? {} : { seeds }),
    },
  };
}

/**
 * A run driven by hand: what a host would do, one event at a time, with a clock that only moves when told. For tests,
 * examples and the builder's dry runs.
 */
export class Bench {
  readonly program: Program;
  state: RunState;
  readonly history: EngineEvent[] = [];
  readonly commands: Command[] = [];
  now = 1_800_000_000_000;

  constructor(
    definition: unknown,
    input: Json = {},
    more: { seeds?: Record<string, Seed>; runId?: string } = {},
  ) {
    const parsed = workflowDefinitionSchema.parse(definition);
    this.program = compile(parsed);
    const first = createRun(this.program, startedEvent(parsed, input, this.now, more));
    this.state = first.state;
    this.history.push(...first.events);
    this.commands.push(...first.commands);
  }

  /** Feeds one event in; gives what it caused (nothing when it did not fit). */
  send<T extends EventType>(type: T, data: EventData<T>): EngineEvent[] {
    const { state, events, commands } = step(this.program, this.state, {
      type,
      at: this.now,
      data,
    } as EngineEvent);
    this.state = state;
    this.history.push(...events);
    this.commands.push(...commands);
    return events;
  }

  /** The newest call command of a node (path), forward unless said otherwise. */
  call(path: string, purpose: 'do' | 'compensate' = 'do'): RunActivity {
    const found = this.commands.findLast(
      (command) => command.type === 'RUN_ACTIVITY' && command.activityId === `${path}:${purpose}`,
    );
    if (found?.type !== 'RUN_ACTIVITY') throw new Error(`No call of ${path}.`);
    return found;
  }

  /** Answers the newest call of a node. */
  complete(path: string, output: Json = null, purpose: 'do' | 'compensate' = 'do'): EngineEvent[] {
    const { activityId, attempt } = this.call(path, purpose);
    return this.send('ACTIVITY_TASK_COMPLETED', { activityId, attempt, output });
  }

  fail(
    path: string,
    code = 'ACTIVITY_FAILED',
    more: Partial<EventData<'ACTIVITY_TASK_FAILED'>> = {},
    purpose: 'do' | 'compensate' = 'do',
  ): EngineEvent[] {
    const { activityId, attempt } = this.call(path, purpose);
    return this.send('ACTIVITY_TASK_FAILED', {
      activityId,
      attempt,
      failure: { code, message: `${path} failed` },
      jitter: 0.5,
      ...more,
    });
  }

  /** Moves the clock to the next open timer and fires it; gives its id, or null when there is none. */
  fireNext(): string | null {
    const next = [...this.state.timers.values()].sort((a, b) => a.fireAt - b.fireAt)[0];
    if (next === undefined) return null;
    this.now = Math.max(this.now, next.fireAt);
    this.send('TIMER_FIRED', { timerId: next.timerId });
    return next.timerId;
  }

  node(path: string): NodeState {
    const node = this.state.nodes.get(path);
    if (node === undefined) throw new Error(`No node ${path}.`);
    return node;
  }

  /** Types of the whole history, for compact expectations. */
  types(): string[] {
    return this.history.map((event) => event.type);
  }
}
