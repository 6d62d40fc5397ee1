import { TaskHints } from '@/server/adapters/mcp/task-hints';

/**
 * Ties a call of ours to its message on the wire. The SDK gives requests their ids itself and hands out neither
 * ids nor sizes; a symbol on `params` survives its copying of the request and is invisible to JSON.stringify.
 */
const CALL = Symbol('openconductor.call');

/** What happened to one call on the wire. */
export interface CallRecord {
  /** True from the moment at which the server may have got the request. */
  sent: boolean;
  bytesOut: number;
  bytesIn: number;
  id: string | number | undefined;
  onProgress?: (progress: Progress) => void;
  /** True when the call asks its server (of 2025-11-25) to make a task of it. */
  wantsTask?: boolean;
  /** The answer, when the server made a task of the call. */
  task?: unknown;
}

/** How far a call has come, as its server tells. */
export interface Progress {
  progress: number;
  total?: number;
  message?: string;
}

/** A message as the meter sees it. */
interface WireMessage {
  id?: string | number | null;
  method?: string;
  params?: object;
}

/** A record for a call that has not been sent yet. */
export function newCallRecord(): CallRecord {
  return { sent: false, bytesOut: 0, bytesIn: 0, id: undefined };
}

/** Marks the parameters of a request, so that the transport finds the call's record. */
export function markParams<T extends object>(params: T, record: CallRecord): T {
  (params as Record<symbol, unknown>)[CALL] = record;
  return params;
}

/** The record of an outgoing request, if it is a call of ours. */
export function recordOf(message: object): CallRecord | undefined {
  const params = (message as WireMessage).params as Record<symbol, unknown> | undefined;
  return params === undefined ? undefined : (params[CALL] as CallRecord | undefined);
}

/** The calls that wait for an answer on one connection. */
export class CallMeter {
  private readonly waiting = new Map<string | number, CallRecord>();
  /** Who follows a task of the server over this connection. */
  readonly tasks = new TaskHints();

  /** A message is handed to the wire. */
  sending(message: object, bytes: number): void {
    const record = recordOf(message);
    const id = (message as WireMessage).id;
    if (record === undefined || id === undefined || id === null) return;
    record.sent = true;
    record.bytesOut += bytes;
    record.id = id;
    this.waiting.set(id, record);
  }

  /** A message came in. */
  received(message: object, bytes: number): void {
    const { id } = message as WireMessage;
    if (id === undefined || id === null || 'method' in message) return;
    const record = this.waiting.get(id);
    if (record === undefined) return;
    record.bytesIn += bytes;
    this.waiting.delete(id);
    const { result } = message as { result?: { resultType?: unknown; task?: unknown } };
    if (result?.resultType !== 'task' && !(record.wantsTask && result?.task !== undefined)) return;
    // The SDK knows no tasks and would refuse the answer: it gets an empty one, and the task stays with the call.
    record.task = result;
    (message as { result?: unknown }).result = { resultType: 'complete', content: [] };
  }

  /** Hands a notification that belongs to a call or to a task to it; true when it was one. */
  told(message: object): boolean {
    return 'method' in message && (this.progressed(message) || this.tasks.take(message));
  }

  /**
   * Hands a progress notification to its call; true when it was one. Done here and not by the SDK, which calls its
   * handlers a turn later and loses the last one when the answer comes in the same moment.
   */
  private progressed(message: object): boolean {
    const { method, params } = message as WireMessage;
    if (method !== 'notifications/progress') return false;
    const { progressToken, progress, total, message: text } = (params ?? {}) as Record<string, unknown>;
    const record = this.waiting.get(progressToken as string | number);
    if (record?.onProgress === undefined || typeof progress !== 'number') return false;
    record.onProgress({
      progress,
      ...(typeof total === 'number' ? { total } : {}),
      ...(typeof text === 'string' ? { message: text } : {}),
    });
    return true;
  }

  /** The call is over, answered or not. */
  forget(record: CallRecord): void {
    if (record.id !== undefined) this.waiting.delete(record.id);
  }
}
