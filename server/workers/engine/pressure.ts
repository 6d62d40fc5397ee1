/**
 * How much work is in hand, by organisation, against a limit for all. While the limit is reached an organisation gets
 * new runs only up to its equal share, so that one's flood waits in the table and another's run begins at once.
 */
export class Pressure {
  private readonly byOwner = new Map<string, number>();
  private total = 0;
  private refused = false;

  /**
   * @param limit units of work (calls and commits) in hand at which flooding organisations are made to wait
   * @param onRelief called when work was refused and half of the limit is free again
   */
  constructor(
    private readonly limit: number,
    private readonly onRelief: () => void,
  ) {}

  /** Units of work in hand. */
  get value(): number {
    return this.total;
  }

  /** Whether a new run of this organisation may begin. */
  admits(owner: string): boolean {
    if (this.total < this.limit) return true;
    const own = this.byOwner.get(owner) ?? 0;
    if (own < this.limit / Math.max(1, this.byOwner.size + (own === 0 ? 1 : 0))) return true;
    this.refused = true;
    return false;
  }

  add(owner: string): void {
    this.total++;
    this.byOwner.set(owner, (this.byOwner.get(owner) ?? 0) + 1);
  }

  remove(owner: string): void {
    this.total--;
    const own = (this.byOwner.get(owner) ?? 1) - 1;
    if (own > 0) this.byOwner.set(owner, own);
    else this.byOwner.delete(owner);
    if (!this.refused || this.total > this.limit / 2) return;
    this.refused = false;
    this.onRelief();
  }
}
