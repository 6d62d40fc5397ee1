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
  private wasAsked = false;
  private readonly asked = new Set<() => void>();
  private why: unknown;
  /** True once the call is made, and not only waits for a place, for its server to start, or for what it needs to be known. */
  isMade = false;

  /** The call leaves, and nothing but its answer can tell what became of it: it is not asked to stop from now on. */
  hold(): void {
    this.isHeld = true;
  }

  /** The call can be asked to stop after all, and is at once when it was to be. */
  letGo(): void {
    this.isHeld = false;
    if (this.wasAsked) this.abort(ASKED_TO_STOP);
  }

  /** Calls `listener` when a held call was to stop, at once when it was already. Gives back how to stop listening. */
  whenHeldBack(listener: () => void): () => void {
    if (this.wasAsked) listener();
    this.asked.add(listener);
    return () => this.asked.delete(listener);
  }

  /** Gives the call up. The first reason stays. */
  abort(reason: unknown): void {
    if (this.done) return;
    if (this.isHeld && reason === ASKED_TO_STOP) {
      this.wasAsked = true;
      for (const tell of [...this.asked]) tell();
      return;
    }
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
