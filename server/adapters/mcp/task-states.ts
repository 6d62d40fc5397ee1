import { z } from 'zod';
import type { Connection } from '@/server/adapters/mcp/connection';
import { STREAM_ENDED } from '@/server/adapters/mcp/wire-codes';
import type { ServerTask } from '@/server/ports/mcp-fleet';

const POLL_MS = 1000;
const MIN_POLL_MS = 50;
const MAX_POLL_MS = 60_000;
const REQUEST_TIMEOUT_MS = 30_000;
const INVALID_PARAMS = -32_602;

/**
 * A task as `tasks/get` tells of it, in the words of either revision (`ttl`, `pollInterval` in 2025-11-25); what a server
 * adds beside is of no interest.
 */
const taskSchema = z.looseObject({
  taskId: z.string(),
  status: z.enum(['working', 'input_required', 'completed', 'cancelled', 'failed']),
  statusMessage: z.string().optional(),
  ttlMs: z.number().nullish(),
  ttl: z.number().nullish(),
  pollIntervalMs: z.number().optional(),
  pollInterval: z.number().optional(),
  inputRequests: z.record(z.string(), z.unknown()).optional(),
  result: z.looseObject({}).optional(),
  error: z.looseObject({ code: z.number().optional(), message: z.string().optional() }).optional(),
});

/** State of a task, as its server tells. */
export type TaskState = z.infer<typeof taskSchema>;

/** The task in an answer to a call, if the server made one. */
export function taskOf(answer: unknown): ServerTask | undefined {
  // 2025-11-25 wraps it.
  const wrapped = (answer as { task?: unknown } | null)?.task;
  const parsed = taskSchema.safeParse(wrapped ?? answer);
  if (!parsed.success) return undefined;
  const { taskId, ttlMs, ttl } = parsed.data;
  return { taskId, pollIntervalMs: pollIntervalOf(parsed.data), ttlMs: ttlMs ?? ttl ?? null };
}

/** Milliseconds until the server wants to be asked again. */
export function pollIntervalOf(task: {
  pollIntervalMs?: number | undefined;
  pollInterval?: number | undefined;
}): number {
  return Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, task.pollIntervalMs ?? task.pollInterval ?? POLL_MS));
}

/** Milliseconds until a server that could not be reached is asked again. */
export function nextTry(waited: number): number {
  return Math.min(MAX_POLL_MS, Math.max(waited, POLL_MS) * 2);
}

/** The server knows nothing of the task: it was restarted, or has thrown it away. */
export class TaskLost extends Error {}

/** Whether an error says that the server could not be reached, rather than being its answer. */
export function isUnreached(error: unknown, connection: Connection): boolean {
  if (connection.closed) return false;
  const { code, status } = error as { code?: unknown; status?: unknown };
  if (code === STREAM_ENDED) return true;
  // Within a session, 404 means that the session is gone: only a new one can help.
  if (status === 404 && connection.hasSession) return false;
  return typeof code !== 'number';
}

/**
 * Asks for the state of a task.
 *
 * @throws TaskLost, or what the transport or the server says
 */
export async function getTask(connection: Connection, taskId: string): Promise<TaskState> {
  try {
    return await connection.taskRequest('tasks/get', { taskId }, taskSchema, REQUEST_TIMEOUT_MS);
  } catch (error) {
    if ((error as { code?: unknown }).code === INVALID_PARAMS) throw new TaskLost();
    throw error;
  }
}

/** Hands answers to a task. Throws TaskLost, or what the transport or the server says. */
export async function updateTask(
  connection: Connection,
  taskId: string,
  inputResponses: object,
): Promise<void> {
  try {
    const params = { taskId, inputResponses };
    await connection.taskRequest('tasks/update', params, z.looseObject({}), REQUEST_TIMEOUT_MS);
  } catch (error) {
    if ((error as { code?: unknown }).code === INVALID_PARAMS) throw new TaskLost();
    throw error;
  }
}

/** Waits for the result of a task of 2025-11-25, which comes when the task has ended; questions come meanwhile. */
export function taskResult(connection: Connection, taskId: string): Promise<Record<string, unknown>> {
  return connection.taskRequest('tasks/result', { taskId }, z.looseObject({}), 2_000_000_000);
}

/** Asks the server to give a task up. Whether it does is for the server to say: nobody waits for it. */
export function cancelTask(connection: Connection, taskId: string): Promise<void> {
  return connection
    .taskRequest('tasks/cancel', { taskId }, z.looseObject({}), REQUEST_TIMEOUT_MS)
    .then(() => undefined);
}
