/** Loads by new owners, without progress, after which a run is under suspicion of ending the process. */
const SUSPECT_AFTER = 2;

/** What the number of loads in a run's row says about it to the next owner. */
export type Standing =
  /** It is loaded with the others. */
  | 'trusted'
  /** It may be what ends processes: it is loaded when its turn has come, alone among suspects. */
  | 'suspect'
  /** One more end and it is given up: before its last trial a process has to show that it lives without the run. */
  | 'last trial'
  /** A process ended while the run was held back: something else ends processes. */
  | 'pardoned'
  /** It ended a process that had lived well without it, after all the others. */
  | 'condemned';

/**
 * How a run is told from poison that only had bad luck. Loads are counted in its row; `max` ends are enough to give it up, but
 * the last one counts only when it followed a time of calm: `max` in the row says that the run is held back for it, and the load
 * after that makes it `max + 1`. Whatever ends processes from outside strikes in that time too, and the run is cleared.
 */
export class Verdict {
  constructor(private readonly max: number) {}

  /** The number in the row of a run that is held back. */
  get heldBack(): number {
    return this.max;
  }

  /** The number in the row of a run that is to be held back, once more or for the first time. */
  get beforeCalm(): number {
    return this.max - 1;
  }

  /** True when this many loads mean that the run is given up in place of being loaded. */
  isCondemned(loads: number): boolean {
    return loads > this.max + 1;
  }

  /** True for the first time that a run is tried alone. */
  isFirstTrial(loads: number): boolean {
    return loads <= SUSPECT_AFTER;
  }

  standing(loads: number): Standing {
    if (loads < SUSPECT_AFTER) return 'trusted';
    if (loads === this.max) return 'pardoned';
    if (loads > this.max) return 'condemned';
    return loads === this.max - 1 ? 'last trial' : 'suspect';
  }
}
