import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { createMemoryPayloads } from '@/server/adapters/memory/payload-store';
import type { ExecutionStore } from '@/server/ports/execution-store';
import { eventually } from '../../../tests/support/eventually';
import { startedEngines } from '../../../tests/support/started-engines';

const body = Buffer.alloc(1_000, 7);
const sha256 = createHash('sha256').update(body).digest('hex');
const picture = { $payload: { sha256, bytes: body.length, mimeType: 'image/png', encoding: 'base64' } };

const definitions = [
  {
    schemaVersion: 1,
    name: 'child',
    nodes: [{ id: 'make', kind: 'activity', activity: 'make' }],
    output: { picture: '${make.output}' },
  },
  {
    schemaVersion: 1,
    name: 'parent',
    nodes: [{ id: 'child', kind: 'subworkflow', workflow: 'child', input: {} }],
    output: { picture: '${child.output.picture}' },
  },
  { schemaVersion: 1, name: 'quick', nodes: [{ id: 'work', kind: 'activity', activity: 'work' }] },
] as WorkflowDefinition[];

describe('contents that a run hands to another', () => {
  const engine = startedEngines();

  it('are copied before the commit that hands them over, for which nobody else waits', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const memory = createMemoryExecutionStore(db);
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let asked = 0;
    /** For each commit that tells a parent: whether the parent has the content already. */
    const there: boolean[] = [];
    const execution: ExecutionStore = {
      ...memory,
      adopt: async (contents) => {
        asked += 1;
        if (asked === 1) throw Object.assign(new Error('away'), { code: 'DATABASE_UNAVAILABLE' });
        await held;
        return memory.adopt(contents);
      },
      commit: (owner, parts) => {
        for (const { runId, data } of parts.flatMap(({ inboxAdds }) => inboxAdds)) {
          if (JSON.stringify(data).includes(sha256)) there.push(db.payloads.get(runId)?.has(sha256) === true);
        }
        return memory.commit(owner, parts);
      },
    };
    const functions = { make: () => picture, work: () => null };
    const leases = createMemoryLeaseStore(db);
    const made = await engine({ definitions, execution, leases, functions });
    await createMemoryPayloads(db).put(made.organizationId, randomUUID(), [
      { sha256, mimeType: 'image/png', body },
    ]);
    const parent = await made.start('parent');
    await eventually('the child hands its output over, again after an error', () => asked === 2);
    const others = await Promise.all(
      [made.organizationId, randomUUID()].map((owner) => made.start('quick', {}, undefined, {}, owner)),
    );
    await eventually('others complete', () => others.every((id) => db.runs.get(id)?.status === 'completed'));
    expect([db.runs.get(parent)?.status, there]).toEqual(['running', []]);
    letGo();
    await eventually('the parent completes', () => db.runs.get(parent)?.status === 'completed');
    expect(there).toEqual([true]);
    expect((await made.store.readHistories([parent])).at(-1)?.data).toEqual({ output: { picture } });
  });
});
