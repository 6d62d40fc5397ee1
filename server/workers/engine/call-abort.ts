/** Why a call is given up: nobody waits for its outcome any more. */
export const CANCELLED = 'cancelled';
/** Why a call is given up: it is to stop if it can, and what became of it is awaited, because it may have to be undone. */
export const ASKED_TO_STOP = 'asked to stop';

/**
 * Whether one call is to be given up, and why. An AbortSignal costs more than a whole step that does nothing, so it is
 * made only when somebody asks for it.
 */
export class CallAbort {
  private controller: AbortController | null = null;
  private readonly listeners = new Set<() => void>();
  private done = false;
  private isHeld = false;
  private why: unknown;

  /** The call leaves, and nothing but its answer can tell what became of it: it is not asked to stop any more. */
  hold(): void {
    this.isHeld = true;
  }

  /** Gives the call up. The first reason stays. */
  abort(reason: unknown): void {
    if (this.done || (this.isHeld && reason === ASKED_TO_STOP)) return;
    this.done = true;
    this.why = reason;
    this.controller?.abort(reason);
    for (const listener of [...this.listeners]) listener();
  }

  get aborted(): boolean {
    return this.done;
  }

  get reason(): unknown {
    return this.why;
  }

  /** For whoever takes a standard signal. */
  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController();
      if (this.done) this.controller.abort(this.why);
    }
    return this.controller.signal;
  }

  /** Calls `listener` when the call is given up, at once when it was. Gives back how to stop listening. */
  whenAborted(listener: () => void): () => void {
    if (this.done) {
      listener();
      return () => {};
    }
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
