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

/** A slot that is kept for a call until it can begin. */
export interface Slot {
  /** Begins the call in it, once; the slot is free again when the call is over. */
  use<T>(begin: () => Promise<T>): Promise<T>;
  /** Gives the slot up. Does nothing once it is used or given up. */
  release(): void;
}

/** The part of the slots, one of so many, that no organisation gets for itself alone. */
const KEPT_FREE = 8;

/**
 * Calls that are ready to be made, at most `slots` at a time. Organisations take turns, so that one with ten thousand
 * ready calls does not hold up another's first; within an organisation the higher priority goes first, then the older.
 * One organisation gets all slots but an eighth: however long its calls take, another's begins at once.
 */
export class ReadyQueue {
  private readonly queues = new Map<string, Waiting[]>();
  /** Organisations with waiting calls, in the order of their turns. */
  private readonly turn = new Set<string>();
  private readonly running = new Map<string, number>();
  private total = 0;
  private readonly share: number;

  constructor(private readonly slots: number) {
    this.share = slots - Math.floor(slots / KEPT_FREE);
  }

  /** Calls waiting for a slot. */
  get depth(): number {
    let depth = 0;
    for (const queue of this.queues.values()) depth += queue.length;
    return depth;
  }

  /** Runs `begin` once a slot is free; resolves or rejects with it. */
  submit<T>(organizationId: string, priority: number, begin: () => Promise<T>): Promise<T> {
    if (!this.queues.has(organizationId) && this.hasRoom(organizationId))
      return this.run(organizationId, begin);
    return new Promise<T>((resolve, reject) => {
      let queue = this.queues.get(organizationId);
      if (!queue) {
        queue = [];
        this.queues.set(organizationId, queue);
        this.turn.add(organizationId);
      }
      const waiting = { priority, begin: () => this.run(organizationId, begin).then(resolve, reject) };
      // From the end: nearly always everybody has the same priority, and the newest goes last.
      let at = queue.length;
      while (at > 0 && (queue[at - 1] as Waiting).priority < priority) at--;
      queue.splice(at, 0, waiting);
    });
  }

  /** Keeps a slot for a call that is about to begin; null unless one is free and nobody at all waits for one. */
  reserve(organizationId: string): Slot | null {
    if (this.queues.size > 0 || !this.hasRoom(organizationId)) return null;
    this.take(organizationId);
    let kept = true;
    return {
      use: (begin) => {
        kept = false;
        return begin().finally(() => this.free(organizationId));
      },
      release: () => {
        if (kept) this.free(organizationId);
        kept = false;
      },
    };
  }

  private hasRoom(organizationId: string): boolean {
    return this.total < this.slots && (this.running.get(organizationId) ?? 0) < this.share;
  }

  private async run<T>(organizationId: string, begin: () => Promise<T>): Promise<T> {
    this.take(organizationId);
    try {
      return await begin();
    } finally {
      this.free(organizationId);
    }
  }

  private take(organizationId: string): void {
    this.total++;
    this.running.set(organizationId, (this.running.get(organizationId) ?? 0) + 1);
  }

  private free(organizationId: string): void {
    this.total--;
    const left = (this.running.get(organizationId) ?? 1) - 1;
    if (left > 0) this.running.set(organizationId, left);
    else this.running.delete(organizationId);
    this.next();
  }

  /** Gives free slots to those whose turn it is; who has its share is passed over. */
  private next(): void {
    for (const organizationId of this.turn) {
      if (this.total >= this.slots) return;
      if (!this.hasRoom(organizationId)) continue;
      const queue = this.queues.get(organizationId);
      const waiting = queue?.shift();
      // A set keeps the order in which its members were added: this one goes to the end of the line.
      this.turn.delete(organizationId);
      if (queue && queue.length > 0) this.turn.add(organizationId);
      else this.queues.delete(organizationId);
      void waiting?.begin();
    }
  }
}
