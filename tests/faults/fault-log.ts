/** One fault as it struck. Times are epoch milliseconds. */
export interface StruckFault {
  fault: string;
  detail: string;
  at: number;
  /** When the world was whole again, as far as this fault goes. */
  healedAt: number;
  /** When every shard was led by a living process again; null when that was not measured. */
  recoveredAt: number | null;
  /** False when it only tried: something else stood in its way, or there was nothing to strike. It is not counted then. */
  struck: boolean;
}

/** A process that was stopped and went on: from when until when (epoch milliseconds). */
export interface Sleep {
  pid: number;
  from: number;
  to: number;
}

/** What clients and people do wrong, all along. Nothing has to recover from it: it must make no difference. */
export const CLIENT_FAULTS = [
  'duplicate starts',
  'duplicate signals',
  'reordered signals',
  'double approval clicks',
  'payload at the limit',
  'payload over the limit',
] as const;
export type ClientFault = (typeof CLIENT_FAULTS)[number];

const now = () => performance.timeOrigin + performance.now();

/** What struck, when. */
export class FaultLog {
  readonly struck: StruckFault[] = [];
  readonly sleeps: Sleep[] = [];
  /** How often clients did each of these. */
  readonly asked: Record<ClientFault, number> = {
    'duplicate starts': 0,
    'duplicate signals': 0,
    'reordered signals': 0,
    'double approval clicks': 0,
    'payload at the limit': 0,
    'payload over the limit': 0,
  };

  /** Counts what a client did. */
  count(fault: ClientFault): void {
    this.asked[fault] += 1;
  }

  /** Notes a fault of one instant. */
  note(fault: string, detail = ''): StruckFault {
    const at = now();
    const entry = { fault, detail, at, healedAt: at, recoveredAt: null, struck: true };
    this.struck.push(entry);
    return entry;
  }

  /**
   * Notes a fault that lasts while `work` runs. The work says in a few words what it did, or null when it could not
   * strike; two faults at once can stand in each other's way.
   */
  async during(fault: string, work: () => Promise<string | null>): Promise<StruckFault> {
    const entry = this.note(fault);
    entry.healedAt = Number.POSITIVE_INFINITY;
    try {
      const detail = await work();
      entry.struck = detail !== null;
      entry.detail = detail ?? 'struck nothing';
    } catch (error) {
      entry.struck = false;
      entry.detail = `in part: ${error instanceof Error ? error.message : error}`;
    }
    entry.healedAt = now();
    return entry;
  }

  /** Faults that really struck. */
  get whole(): StruckFault[] {
    return this.struck.filter((entry) => entry.struck);
  }

  /** Every shard is led again: what struck before and was healed is over. */
  allWell(): void {
    const at = now();
    for (const entry of this.struck) {
      if (entry.recoveredAt === null && entry.healedAt <= at) entry.recoveredAt = at;
    }
  }
}
