/** A count of so many runs is believed for a millisecond: what is cheap to count is counted for nearly each start. */
const RUNS_PER_MS = 50;
/** Longest that a count is believed. */
const MOST_MS = 2_000;

interface Count {
  limit: number;
  /** Runs at the time of the count, `limit` at most. */
  counted: Promise<number>;
  /** Until when it is believed, in milliseconds; until it is there it serves whoever comes meanwhile. */
  until: number;
  /** Runs that were admitted here since. */
  admitted: number;
}

/**
 * How many runs organisations have of one kind, for a limit that every start is measured by: counted no further than the limit,
 * and where there are many not for each start. A count is believed for two seconds at most, with what was admitted here since.
 *
 * The limit is approximate. Too many are let through for starts that were being written when it was counted, and for what other
 * processes admit while a count is believed; too few while runs that have closed since, or starts that came to nothing, still count.
 */
export class RunCounts {
  private readonly known = new Map<string, Count>();

  /**
   * @param count runs of an organisation, up to `most`
   * @param now clock in milliseconds
   */
  constructor(
    private readonly count: (organizationId: string, most: number) => Promise<number>,
    private readonly now: () => number,
  ) {}

  /** The count to go by for a start; `used` is what it says once it is there. */
  async of(organizationId: string, limit: number): Promise<{ readonly used: number; admit(): void }> {
    const old = this.known.get(organizationId);
    const count = old?.limit === limit && this.now() < old.until ? old : this.begin(organizationId, limit);
    const counted = await count.counted;
    return {
      get used() {
        return counted + count.admitted;
      },
      admit: () => void count.admitted++,
    };
  }

  private begin(organizationId: string, limit: number): Count {
    const counted = this.count(organizationId, limit);
    const count = { limit, counted, until: Number.POSITIVE_INFINITY, admitted: 0 };
    this.known.set(organizationId, count);
    counted.then(
      (runs) => {
        count.until = this.now() + Math.min(MOST_MS, runs / RUNS_PER_MS);
      },
      () => {
        if (this.known.get(organizationId) === count) this.known.delete(organizationId);
      },
    );
    return count;
  }
}
