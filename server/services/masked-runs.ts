import type { RunQueries } from '@/server/ports/run-queries';
import type { RunMasks } from '@/server/services/run-masks';

/** Rows of runs as they may be shown: a failure may repeat what a tool was given. Events stay true, for replay needs them. */
export function maskedRuns(queries: RunQueries, masks: RunMasks): RunQueries {
  return {
    ...queries,
    async list(organizationId, filter, limit, before) {
      const { items, next } = await queries.list(organizationId, filter, limit, before);
      return { items: await masks.rows(organizationId, items), next };
    },
    async get(organizationId, runId) {
      const row = await queries.get(organizationId, runId);
      return row === null ? null : ((await masks.rows(organizationId, [row]))[0] ?? null);
    },
    async askingRuns(organizationId, limit, before) {
      return masks.rows(organizationId, await queries.askingRuns(organizationId, limit, before));
    },
  };
}
