import { expect, it } from 'vitest';
import { compile } from '@/lib/engine/compile';
import type { Actor } from '@/lib/protocol/actor';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { RunRow } from '@/server/ports/run-queries';
import type { RunService } from '@/server/services/run-service';
import { RunReader } from '@/server/services/run-state';

const definition: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'go', kind: 'wait', signal: 'go' }],
};

it('says of a history that cannot be folded that it is unreadable, and not that something went wrong', async () => {
  const events = [
    { runId: 'r', seq: 1, type: 'NODE_STARTED', at: new Date(0).toISOString(), data: { nodePath: 'go' } },
  ] as WorkflowEventRecord[];
  const reader = new RunReader({
    runs: { events: async () => events } as unknown as RunService,
    program: async () => compile(definition),
  });
  await expect(reader.readRow({} as Actor, { runId: 'r' } as RunRow)).rejects.toMatchObject({
    code: 'HISTORY_UNREADABLE',
  });
});
