/** What values beyond the bound are counted under. */
const OTHER = 'other';

/**
 * Keeps a label from growing without end: names come from users, and each new one is a new time series. The first `limit`
 * values are kept as they are, what comes later is counted together.
 */
export class LabelBound {
  private readonly known = new Set<string>();

  constructor(private readonly limit: number) {}

  of(value: string): string {
    if (this.known.has(value)) return value;
    if (this.known.size >= this.limit) return OTHER;
    this.known.add(value);
    return value;
  }
}
