/** A server's word that the state of a task changed: `notifications/tasks` (2026-07-28) or `notifications/tasks/status`. */
const METHODS = new Set(['notifications/tasks', 'notifications/tasks/status']);

/**
 * Who waits for news of a task on one connection. News are hints to ask the server at once instead of at the next poll:
 * they may be missing, late or made up, so nothing but `tasks/get` is believed.
 */
export class TaskHints {
  private readonly waiting = new Map<string, () => void>();

  /** Calls `listener` at each piece of news of a task; the function returned ends that. */
  watch(taskId: string, listener: () => void): () => void {
    this.waiting.set(taskId, listener);
    return () => {
      if (this.waiting.get(taskId) === listener) this.waiting.delete(taskId);
    };
  }

  /** Takes a message if it is news of a task; true when it was, whether or not somebody waits for it. */
  take(message: object): boolean {
    const { method, params } = message as { method?: unknown; params?: { taskId?: unknown } };
    if (typeof method !== 'string' || !METHODS.has(method)) return false;
    const { taskId } = params ?? {};
    if (typeof taskId === 'string') this.waiting.get(taskId)?.();
    return true;
  }
}
