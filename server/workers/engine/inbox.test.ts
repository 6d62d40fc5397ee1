import { describe, expect, it } from 'vitest';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import type { InboxRow } from '@/server/ports/execution-store';
import { Inbox } from '@/server/workers/engine/inbox';

describe('Inbox', () => {
  const backlogOf = (owners: readonly string[], count: number) => {
    const db = new MemoryDatabase(() => 0);
    for (let id = 1; id <= count; id++) {
      const organizationId = owners[id % owners.length] ?? '';
      const facts = { shard: 0, runId: `run ${id}`, eventType: 'WORKFLOW_EXECUTION_SIGNALED', data: {} };
      db.inbox.set(id, { id, organizationId, ...facts });
    }
    let reads = 0;
    const store = createMemoryExecutionStore(db);
    const inbox = new Inbox({
      ...store,
      readInbox(...args) {
        reads++;
        return store.readInbox(...args);
      },
    });
    return { inbox, reads: () => reads };
  };
  const read = async (inbox: Inbox) => {
    const rows: InboxRow[] = [];
    await inbox.read([0], (row) => {
      if (inbox.take(row.id)) rows.push(row);
      return true;
    });
    return rows;
  };

  it('a backlog does not come into memory in one read; the next one goes on', async () => {
    const { inbox, reads } = backlogOf(['a'], 7_000);
    const first = await read(inbox);
    expect([first.length, reads()]).toEqual([5_000, 10]);
    const second = await read(inbox);
    expect([...first, ...second].map(({ id }) => id)).toEqual(Array.from({ length: 7_000 }, (_, i) => i + 1));
  });

  it('reads on while pages are full', async () => {
    const { inbox, reads } = backlogOf(['a', 'b'], 1_400);
    expect(await read(inbox)).toHaveLength(1_400);
    expect(reads()).toBe(2);
  });
});
