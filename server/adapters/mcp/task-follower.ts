import type { CallToolResult } from '@modelcontextprotocol/client';
import type { ServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import type { Connection } from '@/server/adapters/mcp/connection';
import { failed } from '@/server/adapters/mcp/failures';
import { answersOf, roundOf } from '@/server/adapters/mcp/input-requests';
import { raceAbort } from '@/server/adapters/mcp/pool';
import {
  cancelTask,
  getTask,
  isUnreached,
  nextTry,
  pollIntervalOf,
  TaskLost,
  type TaskState,
  taskResult,
  updateTask,
} from '@/server/adapters/mcp/task-states';
import type { InputAnswer, InputRequired, ServerTask, ToolOutcome } from '@/server/ports/mcp-fleet';

/** What is taken for the poll interval of a task that is taken up again, until its server says it. */
const RESUMED_MS = 1000;

/** What following a task needs. */
export interface TaskContext {
  connection: Connection;
  config: ServerConfig;
  clock: Clock;
  server: string;
  tool: string;
  /** Aborted at the deadline and when the caller cancels. */
  signal: AbortSignal;
  /** The answers of whoever makes the call; undefined when they are to come later. */
  ask: (input: InputRequired) => Promise<Record<string, InputAnswer> | undefined>;
  parked: (input: InputRequired) => ToolOutcome;
  accept: (result: CallToolResult) => ToolOutcome;
  onProgress: ((progress: { progress: number; total?: number; message?: string }) => void) | undefined;
}

/**
 * Follows a task of a server until it has ended: asks for its state at the pace the server wants, sooner at its hint,
 * passes its questions on, survives failures on the way (the task is the server's, so only reaching it again matters).
 * When the call is cancelled or out of time, the task is cancelled as well. A task that the server does not know any more
 * leaves an unknown outcome.
 */
export async function followTask(
  task: ServerTask,
  context: TaskContext,
  first?: { input: InputRequired; answers: Record<string, InputAnswer> },
): Promise<ToolOutcome> {
  const { connection, signal, server, tool } = context;
  const follower = new Follower(task, context);
  try {
    return connection.era === 'modern' ? await follower.modern(first) : await follower.legacy();
  } catch (error) {
    if (signal.aborted) void cancelTask(connection, task.taskId).catch(() => undefined);
    if (error instanceof TaskLost)
      return failed('TASK_LOST', `${server} knows nothing of the task of ${tool} any more.`, true);
    throw error;
  } finally {
    follower.end();
  }
}

/** One task on its way. */
class Follower {
  private told: string | undefined;
  private tick = 0;
  private readonly wakers = new Set<() => void>();
  /** News came while the server was being asked: it may not know them from that answer. */
  private news = false;
  private readonly unwatch: () => void;

  constructor(
    private readonly task: ServerTask,
    private readonly context: TaskContext,
  ) {
    const { connection } = context;
    this.unwatch = connection.watchTask(task.taskId, task.pollIntervalMs || RESUMED_MS, () => this.hurry());
  }

  end(): void {
    this.unwatch();
    this.hurry();
  }

  /** 2026-07-28: state, questions and result all come with `tasks/get`. */
  async modern(first?: { input: InputRequired; answers: Record<string, InputAnswer> }): Promise<ToolOutcome> {
    const { context, task } = this;
    const { connection } = context;
    const answered = new Set<string>();
    const give = async (input: InputRequired, answers: Record<string, InputAnswer>): Promise<void> => {
      const inputResponses = answersOf(input, answers)?.inputResponses ?? {};
      if (Object.keys(inputResponses).length > 0) await updateTask(connection, task.taskId, inputResponses);
      for (const key of Object.keys(inputResponses)) answered.add(key);
    };
    if (first !== undefined) await give(first.input, first.answers);
    let wait = first === undefined ? task.pollIntervalMs : 0;
    for (;;) {
      await this.pause(wait);
      const state = await this.poll();
      wait = state === undefined ? nextTry(wait) : pollIntervalOf(state);
      if (state === undefined || state.status === 'working') continue;
      if (state.status !== 'input_required') return this.ended(state);
      const fresh = Object.entries(state.inputRequests ?? {}).filter(([key]) => !answered.has(key));
      if (fresh.length === 0) continue;
      const round = roundOf(
        { resultType: 'input_required', inputRequests: Object.fromEntries(fresh) as never },
        context.config,
      );
      const input: InputRequired = { ...round, taskId: task.taskId };
      const answers = input.requests.length === 0 ? {} : await context.ask(input);
      if (answers === undefined) return context.parked(input);
      await give(input, answers);
    }
  }

  /**
   * 2025-11-25: `tasks/result` answers when the task has ended, and the server's questions come while it is open;
   * `tasks/get` beside it tells how far the task is.
   */
  async legacy(): Promise<ToolOutcome> {
    const { context, task } = this;
    const { connection, signal } = context;
    let over = false;
    const watch = async (): Promise<never> => {
      for (let wait = task.pollIntervalMs; ; ) {
        await this.pause(wait);
        if (over) return new Promise(() => undefined);
        const state = await this.poll();
        wait = state === undefined ? nextTry(wait) : pollIntervalOf(state);
      }
    };
    const watching = watch();
    watching.catch(() => undefined);
    try {
      for (let wait = task.pollIntervalMs; ; wait = nextTry(wait)) {
        try {
          const result = await raceAbort(
            Promise.race([taskResult(connection, task.taskId), watching]),
            signal,
          );
          return context.accept({ content: [], ...result } as CallToolResult);
        } catch (error) {
          if (signal.aborted || error instanceof TaskLost) throw error;
          if (!isUnreached(error, connection)) return await this.refusedResult(error);
        }
        await this.pause(wait);
      }
    } finally {
      over = true;
      this.hurry();
    }
  }

  /** The server answered `tasks/result` with an error: its task's, or one that says that there is no task. */
  private async refusedResult(error: unknown): Promise<ToolOutcome> {
    const state = await this.poll();
    if (state === undefined || state.status === 'working' || state.status === 'input_required') throw error;
    if (state.status === 'completed') throw error;
    const { message } = error as { message?: unknown };
    return this.ended(typeof message === 'string' ? { ...state, error: { message } } : state);
  }

  /** The state of the task; undefined when the server could not be reached just now. */
  private async poll(): Promise<TaskState | undefined> {
    const { connection, signal, onProgress } = this.context;
    try {
      const state = await raceAbort(getTask(connection, this.task.taskId), signal);
      const { statusMessage } = state;
      if (statusMessage !== undefined && statusMessage !== this.told) {
        this.told = statusMessage;
        onProgress?.({ progress: ++this.tick, message: statusMessage });
      }
      return state;
    } catch (error) {
      if (signal.aborted || error instanceof TaskLost || !isUnreached(error, connection)) throw error;
      return undefined;
    }
  }

  /** Waits so long, or until there is news of the task. */
  private pause(ms: number): Promise<void> {
    const { news } = this;
    this.news = false;
    if (ms <= 0 || news) return Promise.resolve();
    const { clock, signal } = this.context;
    const waited = new Promise<void>((resolve) => {
      const wake = () => {
        cancel();
        this.wakers.delete(wake);
        resolve();
      };
      const cancel = clock.at(clock.now() + ms, wake);
      this.wakers.add(wake);
    });
    return raceAbort(waited, signal);
  }

  private hurry(): void {
    this.news = this.wakers.size === 0;
    for (const wake of [...this.wakers]) wake();
  }

  private ended(state: TaskState): ToolOutcome {
    const { server, tool, accept } = this.context;
    switch (state.status) {
      case 'completed':
        return accept({ content: [], ...state.result } as CallToolResult);
      case 'cancelled':
        return failed('TOOL_ERROR', `${server} cancelled the task of ${tool}${why(state)}.`, false);
      default:
        return failed('TOOL_ERROR', `The task of ${tool} of ${server} failed${why(state)}.`, false);
    }
  }
}

function why(state: TaskState): string {
  const reason = state.error?.message ?? state.statusMessage;
  return reason === undefined ? '' : `: ${reason}`;
}
