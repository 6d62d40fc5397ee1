import type { CallToolResult } from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { ServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import type { Connection } from '@/server/adapters/mcp/connection';
import { failed } from '@/server/adapters/mcp/failures';
import { answersOf, roundOf } from '@/server/adapters/mcp/input-requests';
import { raceAbort } from '@/server/adapters/mcp/pool';
import type { InputAnswer, InputRequired, ServerTask, ToolOutcome } from '@/server/ports/mcp-fleet';

const POLL_MS = 1000;
const MIN_POLL_MS = 50;
const MAX_POLL_MS = 60_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** A task as `tasks/get` tells of it; what a server adds beside is of no interest. */
const taskSchema = z.looseObject({
  taskId: z.string(),
  status: z.enum(['working', 'input_required', 'completed', 'cancelled', 'failed']),
  statusMessage: z.string().optional(),
  ttlMs: z.number().nullish(),
  pollIntervalMs: z.number().optional(),
  inputRequests: z.record(z.string(), z.unknown()).optional(),
  result: z.looseObject({}).optional(),
  error: z.looseObject({ code: z.number().optional(), message: z.string().optional() }).optional(),
});
type Task = z.infer<typeof taskSchema>;

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

/** The task in a result of a call, if it is one. */
export function taskOf(result: unknown): ServerTask | undefined {
  const parsed = taskSchema.safeParse(result);
  if (!parsed.success) return undefined;
  const { taskId, ttlMs } = parsed.data;
  return { taskId, pollIntervalMs: pollInterval(parsed.data), ttlMs: ttlMs ?? null };
}

/**
 * Follows a task of a server until it has ended: asks for its state at the pace the server wants, passes its questions
 * on, survives failures on the way (the task is the server's, so only reaching it again matters). When the call is
 * cancelled or out of time, the task is cancelled as well.
 */
export async function followTask(
  task: ServerTask,
  context: TaskContext,
  first?: { input: InputRequired; answers: Record<string, InputAnswer> },
): Promise<ToolOutcome> {
  const { connection, signal, clock } = context;
  const answered = new Set<string>();
  let wait = first === undefined ? task.pollIntervalMs : 0;
  let tick = 0;
  try {
    if (first !== undefined) {
      await update(task.taskId, first.input, first.answers, connection);
      for (const request of first.input.requests) answered.add(request.key);
    }
    for (;;) {
      await raceAbort(sleep(clock, wait), signal);
      const state = await poll(task.taskId, context);
      if (state === undefined) {
        wait = Math.min(MAX_POLL_MS, Math.max(wait, POLL_MS) * 2);
        continue;
      }
      wait = pollInterval(state);
      const { statusMessage } = state;
      if (statusMessage !== undefined) context.onProgress?.({ progress: ++tick, message: statusMessage });
      if (state.status === 'working') continue;
      if (state.status !== 'input_required') return ended(state, context);
      const fresh = Object.entries(state.inputRequests ?? {}).filter(([key]) => !answered.has(key));
      if (fresh.length === 0) continue;
      const round = roundOf(
        { resultType: 'input_required', inputRequests: Object.fromEntries(fresh) as never },
        context.config,
      );
      const input: InputRequired = { ...round, taskId: task.taskId };
      const answers = input.requests.length === 0 ? {} : await context.ask(input);
      if (answers === undefined) return context.parked(input);
      await update(task.taskId, input, answers, connection);
      for (const [key] of fresh) answered.add(key);
    }
  } catch (error) {
    if (signal.aborted)
      void connection
        .taskRequest('tasks/cancel', { taskId: task.taskId }, z.looseObject({}), REQUEST_TIMEOUT_MS)
        .catch(() => undefined);
    throw error;
  }
}

/** The state of the task; undefined when the server could not be reached just now. */
async function poll(taskId: string, context: TaskContext): Promise<Task | undefined> {
  const { connection, signal } = context;
  try {
    return await raceAbort(
      connection.taskRequest('tasks/get', { taskId }, taskSchema, REQUEST_TIMEOUT_MS),
      signal,
    );
  } catch (error) {
    if (signal.aborted || connection.closed || typeof (error as { code?: unknown }).code === 'number')
      throw error;
    return undefined;
  }
}

async function update(
  taskId: string,
  input: InputRequired,
  answers: Record<string, InputAnswer>,
  connection: Connection,
): Promise<void> {
  const inputResponses = answersOf(input, answers)?.inputResponses ?? {};
  if (Object.keys(inputResponses).length === 0) return;
  await connection.taskRequest(
    'tasks/update',
    { taskId, inputResponses },
    z.looseObject({}),
    REQUEST_TIMEOUT_MS,
  );
}

function ended(state: Task, context: TaskContext): ToolOutcome {
  const { server, tool } = context;
  switch (state.status) {
    case 'completed':
      return context.accept({ content: [], ...state.result } as CallToolResult);
    case 'cancelled':
      return failed('TOOL_ERROR', `${server} cancelled the task of ${tool}${why(state)}.`, false);
    default:
      return failed('TOOL_ERROR', `The task of ${tool} of ${server} failed${why(state)}.`, false);
  }
}

function why(state: Task): string {
  const reason = state.error?.message ?? state.statusMessage;
  return reason === undefined ? '' : `: ${reason}`;
}

function pollInterval(task: { pollIntervalMs?: number | undefined }): number {
  return Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, task.pollIntervalMs ?? POLL_MS));
}

function sleep(clock: Clock, ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => void clock.at(clock.now() + ms, resolve));
}
