import { AppError } from '@/lib/protocol/errors';

/**
 * Behaviour flags of this build of the engine. A run records the flags it was started with and keeps them for life.
 * Rule: whenever a change would make `apply` fold an existing event differently, or make a decision differ for runs
 * that are half-way, add a flag here and ask `hasFlag(state, …)` where the two behaviours part. Never remove one while
 * open runs can have it.
 */
export const ENGINE_FLAGS = [
  /** An aggregator with cancelRest gives up what runs only for it. Histories without the flag leave it running. */
  'aggregator-cancel-rest',
  /** A cancelled call that could be undone is awaited, so that compensation knows whether it took effect. */
  'await-cancelled-compensable',
] as const;

export type EngineFlag = (typeof ENGINE_FLAGS)[number];

/** True when the run was started by an engine with this behaviour. */
export function hasFlag(state: { flags: readonly string[] }, flag: EngineFlag): boolean {
  return state.flags.includes(flag);
}

/** Refuses a history from a newer engine: folding it here would give a wrong state. */
export function assertKnownFlags(flags: readonly string[]): void {
  const unknown = flags.find((flag) => !(ENGINE_FLAGS as readonly string[]).includes(flag));
  if (unknown !== undefined) {
    throw new AppError(
      'INTERNAL',
      `This run needs the engine behaviour "${unknown}", which this build does not have.`,
    );
  }
}
