import { AsyncLocalStorage } from 'node:async_hooks';

const scope = new AsyncLocalStorage<string | null>();

/**
 * Runs work that sees none of these workflows, nor what hangs on them: each unit of work in it says so to the database, whose
 * row-level security hides them. A query that forgets whom it answers still shows nothing.
 */
export function withHidden<T>(workflows: readonly string[], work: () => T): T {
  return scope.run(workflows.length === 0 ? null : JSON.stringify(workflows), work);
}

/** Runs work that nobody's restrictions hold for: what counts or decides for the whole organisation. */
export function withNothingHidden<T>(work: () => T): T {
  return scope.getStore() == null ? work() : scope.run(null, work);
}

/** What a unit of work tells the database under `app.hidden_workflows`; null = nothing is hidden. */
export function hiddenNow(): string | null {
  return scope.getStore() ?? null;
}
