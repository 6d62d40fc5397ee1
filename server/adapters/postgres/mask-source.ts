import { sensitivePaths } from '@/lib/engine/sensitivity';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import { withNothingHidden } from '@/server/adapters/postgres/hidden-scope';
import { inOrganization } from '@/server/adapters/postgres/prisma';
import type { MaskedRun, MaskSource } from '@/server/ports/mask-source';
import type { RunQueries } from '@/server/ports/run-queries';

/**
 * What masking reads, through Prisma. It is read for the organisation and kept for everybody: what is hidden from whoever asks
 * first (a parent run of a restricted workflow, say) is sensitive all the same.
 *
 * @param prisma a client that connects as oc_app
 */
export function createMaskSource(prisma: PrismaClient, queries: Pick<RunQueries, 'events'>): MaskSource {
  const within: typeof inOrganization = (...of) => withNothingHidden(() => inOrganization(...of));
  return {
    runs(organizationId, runIds) {
      return within(
        prisma,
        organizationId,
        (tx) =>
          tx.$queryRaw<MaskedRun[]>`
            SELECT run_id::text AS "runId", workflow_id AS "workflowId", definition_hash AS "definitionHash",
              parent_run_id::text AS "parentRunId", previous_run_id::text AS "previousRunId"
            FROM workflow_run WHERE organization_id = ${organizationId}::uuid AND run_id = ANY(${[...runIds]}::uuid[])`,
      );
    },

    paths(organizationId, hashes) {
      return within(prisma, organizationId, async (tx) => {
        const rows = await tx.$queryRaw<
          { hash: string; paths: string[] | null; definition: WorkflowDefinition | null }[]
        >`
          SELECT m.hash, m.paths,
            CASE WHEN json_typeof(m.paths) = 'null' THEN
              (SELECT d.definition FROM workflow_definition d
               WHERE d.organization_id = m.organization_id AND d.hash = m.hash) END AS definition
          FROM definition_mask m
          WHERE m.organization_id = ${organizationId}::uuid AND m.hash = ANY(${[...hashes]}::text[])`;
        return new Map(
          rows.map(({ hash, paths, definition }) => [
            hash,
            paths ?? (definition === null ? [] : sensitivePaths(definition)),
          ]),
        );
      });
    },

    events: (organizationId, runId, after, limit) =>
      withNothingHidden(() => queries.events(organizationId, runId, after, limit)),
  };
}
