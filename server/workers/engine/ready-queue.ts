import { DEFAULT_PRIORITY } from '@/lib/protocol/run';

/** Priority 1 (first) to 5 as the queue counts: larger goes first. */
export function rankOf(priority: number | undefined): number {
  return DEFAULT_PRIORITY - (priority ?? DEFAULT_PRIORITY);
}

/** Work that waits for a slot. Higher priority goes first within its organisation. */
interface Waiting {
  priority: number;
  begin: () => Promise<unknown>;
}

/**
 * Calls that are ready to be made, at most `slots` at a time. Organisations take turns, so that one with ten thousand
 * ready calls does not hold up another's first; within an organisation the higher priority goes first, then the older.
 */
export class ReadyQueue {
  private readonly queues = new Map<string, Waiting[]>();
  private turn: string[] = [];
  private running = 0;

  constructor(private readonly slots: number) {}

  /** Calls waiting for a slot. */
  get depth(): number {
    let depth = 0;
    for (const queue of this.queues.values()) depth += queue.length;
    return depth;
  }

  /** Runs `begin` once a slot is free; resolves or rejects with it. */
  submit<T>(organizationId: string, priority: number, begin: () => Promise<T>): Promise<T> {
    if (this.running < this.slots && this.turn.length === 0) return this.run(begin);
    return new Promise<T>((resolve, reject) => {
      let queue = this.queues.get(organizationId);
      if (!queue) {
        queue = [];
        this.queues.set(organizationId, queue);
        this.turn.push(organizationId);
      }
      const waiting = { priority, begin: () => this.run(begin).then(resolve, reject) };
      // From the end: nearly always everybody has the same priority, and the newest goes last.
      let at = queue.length;
      while (at > 0 && (queue[at - 1] as Waiting).priority < priority) at--;
      queue.splice(at, 0, waiting);
    });
  }

  private async run<T>(begin: () => Promise<T>): Promise<T> {
    this.running++;
    try {
      return await begin();
    } finally {
      this.running--;
      this.next();
    }
  }

  private next(): void {
    while (this.running < this.slots) {
      const organizationId = this.turn.shift();
      if (organizationId === undefined) return;
      const queue = this.queues.get(organizationId);
      const waiting = queue?.shift();
      if (queue && queue.length > 0) this.turn.push(organizationId);
      else this.queues.delete(organizationId);
      void waiting?.begin();
    }
  }
}
