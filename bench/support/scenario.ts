import type { BenchCluster } from '@/bench/support/cluster';

/** What a scenario gets. */
export interface ScenarioContext {
  cluster: BenchCluster;
  /** Shorter and smaller: shows that it works, its figures are rough. */
  quick: boolean;
  /** Folder for CPU profiles of our engine's processes. */
  profile?: string | undefined;
}

/** A budget and whether it was kept. `value` is in the unit that `what` names. */
export interface Verdict {
  what: string;
  value: number;
  budget: number;
  ok: boolean;
}

/** Figures of a scenario, and what they say about its budgets. */
export interface ScenarioResult {
  [figure: string]: unknown;
  verdicts: Verdict[];
}

export type Scenario = (context: ScenarioContext) => Promise<ScenarioResult>;

/** A budget that is kept by staying under it. */
export function below(what: string, value: number, budget: number): Verdict {
  return { what, value, budget, ok: value < budget };
}

/** A budget that is kept by reaching it. */
export function atLeast(what: string, value: number, budget: number): Verdict {
  return { what, value, budget, ok: value >= budget };
}

/** Says on stderr which budgets were missed; with `strict` the process then ends with exit code 1. */
export function tellMissed(missed: readonly Verdict[], strict: boolean): void {
  for (const { what, value, budget } of missed) {
    process.stderr.write(`budget missed: ${what}: ${value} (budget ${budget})\n`);
  }
  if (strict && missed.length > 0) process.exitCode = 1;
}
