/** One fault as it struck. Times are epoch milliseconds. */
export interface StruckFault {
  fault: string;
  detail: string;
  at: number;
  /** When the world was whole again, as far as this fault goes. */
  healedAt: number;
  /** When every shard was led by a living process again; null when that was not measured. */
  recoveredAt: number | null;
}

const now = () => performance.timeOrigin + performance.now();

/** What struck, when. */
export class FaultLog {
  readonly struck: StruckFault[] = [];

  /** Notes a fault of one instant. */
  note(fault: string, detail = ''): StruckFault {
    const at = now();
    const entry = { fault, detail, at, healedAt: at, recoveredAt: null };
    this.struck.push(entry);
    return entry;
  }

  /** Notes a fault that lasts while `work` runs; the work says in a few words what it did. */
  async during(fault: string, work: () => Promise<string>): Promise<StruckFault> {
    const entry = this.note(fault);
    entry.healedAt = Number.POSITIVE_INFINITY;
    try {
      entry.detail = await work();
    } finally {
      entry.healedAt = now();
    }
    return entry;
  }

  /** Every shard is led again: what struck before and was healed is over. */
  allWell(): void {
    const at = now();
    for (const entry of this.struck) {
      if (entry.recoveredAt === null && entry.healedAt <= at) entry.recoveredAt = at;
    }
  }
}
