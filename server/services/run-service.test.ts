import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import { uuidv7 } from '@/lib/shared/ids';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import type { McpFleet } from '@/server/ports/mcp-fleet';
import type { RunQueries, RunRow } from '@/server/ports/run-queries';
import { RunService } from '@/server/services/run-service';
import type { WorkflowService } from '@/server/services/workflow-service';

const organizationId = randomUUID();
const actor = { kind: 'user', id: 'ada', organizationId, role: 'owner' } as unknown as Actor;

/** A service on an in-memory store, with one workflow and a quota of one open run. */
function setUp() {
  const db = new MemoryDatabase(() => Date.now());
  const definition = { schemaVersion: 1, name: 'w', nodes: [{ id: 't', kind: 'transform', output: 1 }] };
  let isThere = true;
  const workflows = {
    get: async () => {
      if (!isThere) throw new AppError('WORKFLOW_NOT_FOUND', 'There is no workflow "w".');
      return { name: 'w', version: 1, hash: 'h', definition, createdAt: new Date() };
    },
  } as unknown as WorkflowService;
  const queries = {
    get: async (_organization: string, runId: string) =>
      (db.runs.get(runId)?.run as RunRow | undefined) ?? null,
    keyUse: async (organization: string, key: string) => db.idempotency.get(`${organization} ${key}`) ?? null,
  } as unknown as RunQueries;
  const runs = new RunService({
    workflows,
    store: createMemoryExecutionStore(db),
    queries,
    fleet: { list: async () => [] } as unknown as McpFleet,
    newRunId: () => uuidv7(Date.now(), randomBytes(10)),
    shards: 4,
    maxPayloadBytes: 1_000,
    admit: async () => {
      if (db.runs.size >= 1) throw new AppError('QUOTA_EXCEEDED', 'One run may be open.');
    },
    announce: () => {},
  });
  return { db, runs, removeWorkflow: () => (isThere = false) };
}

describe('a start that is repeated under its key', () => {
  it('gets the first answer, though that very run fills the quota', async () => {
    const { db, runs } = setUp();
    const first = await runs.start(actor, { workflow: 'w' }, 'k');
    expect((await runs.start(actor, { workflow: 'w' }, 'k')).runId).toBe(first.runId);
    expect(db.runs.size).toBe(1);
  });

  it('gets it after the workflow is gone, too', async () => {
    const { runs, removeWorkflow } = setUp();
    const first = await runs.start(actor, { workflow: 'w' }, 'k');
    removeWorkflow();
    expect((await runs.start(actor, { workflow: 'w' }, 'k')).runId).toBe(first.runId);
  });

  it('with another body is a conflict, also where a new run would be refused', async () => {
    const { runs } = setUp();
    await runs.start(actor, { workflow: 'w' }, 'k');
    const other = runs.start(actor, { workflow: 'w', input: { n: 1 } }, 'k');
    await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('is refused as ever under another key, or none', async () => {
    const { runs } = setUp();
    await runs.start(actor, { workflow: 'w' }, 'k');
    for (const key of ['other', null])
      await expect(runs.start(actor, { workflow: 'w' }, key)).rejects.toMatchObject({
        code: 'QUOTA_EXCEEDED',
      });
  });
});
