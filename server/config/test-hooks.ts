/** What the fault harness asks of a process under test. All of it is off outside the harness. */
export interface TestHooks {
  /** Place at which the process dies, at which pass, and the file that it leaves then, if any. */
  crash: { place: string; nth: number; markFile: string | null } | null;
  /** How wrong the process's own clock is, in milliseconds. */
  clockOffsetMs: number;
  /** How long a suspect is held back before its last trial; the product's own time when left out. */
  calmMs?: number;
}

/**
 * Reads the variables of the fault harness: OPENCONDUCTOR_CRASH_POINT (`place:nth`) with OPENCONDUCTOR_CRASH_MARK (a file),
 * OPENCONDUCTOR_CLOCK_OFFSET_MS and OPENCONDUCTOR_CALM_MS. They are no settings: nobody sets them to run OpenConductor.
 */
export function readTestHooks(env: Record<string, string | undefined> = process.env): TestHooks {
  const crash = /^([a-z-]+):(\d+)$/.exec(env.OPENCONDUCTOR_CRASH_POINT ?? '');
  const markFile = env.OPENCONDUCTOR_CRASH_MARK ?? null;
  const offset = Number(env.OPENCONDUCTOR_CLOCK_OFFSET_MS ?? '0');
  const calm = Number(env.OPENCONDUCTOR_CALM_MS ?? '0');
  return {
    crash: crash ? { place: crash[1] as string, nth: Number(crash[2]), markFile } : null,
    clockOffsetMs: Number.isFinite(offset) ? offset : 0,
    ...(calm > 0 ? { calmMs: calm } : {}),
  };
}
