import type { MemoryDatabase } from '@/server/adapters/memory/database';
import { mustHaveShards } from '@/server/adapters/shard-count';
import type { Lease, LeaseStore } from '@/server/ports/lease-store';

/** Leases without a database, on the clock of the shared tables. */
export function createMemoryLeaseStore(db: MemoryDatabase): LeaseStore {
  const heldBy = (owner: string): Lease[] =>
    [...db.shards]
      .filter(([, row]) => row.owner === owner)
      .map(([shard, row]) => ({ shard, epoch: row.epoch }));
  return {
    async ensureShards(count) {
      for (let shard = 0; db.shards.size === shard && shard < count; shard++)
        db.shards.set(shard, { owner: null, epoch: 0, leaseUntil: Number.NEGATIVE_INFINITY });
      mustHaveShards(db.shards.size, count);
    },
    async heartbeat(process, ttlMs, leaving = false) {
      const now = db.now();
      const until = leaving ? now : now + ttlMs;
      db.processes.set(process.id, { host: process.host, pid: process.pid, until });
      const held = heldBy(process.id);
      for (const { shard } of held) {
        const row = db.shards.get(shard);
        if (row) row.leaseUntil = now + ttlMs;
      }
      const live = [...db.processes].filter(([, { until }]) => until > now);
      const neighbours = live
        .filter(([id, { host }]) => id !== process.id && host === process.host)
        .map(([id, { pid }]) => ({ id, pid }));
      return { held, processes: live.length + (leaving ? 1 : 0), neighbours, now };
    },
    async acquire(owner, ttlMs, limit) {
      const now = db.now();
      const free = [...db.shards]
        .filter(([, row]) => row.owner === null || row.leaseUntil < now)
        .slice(0, limit);
      return free.map(([shard, row]) => {
        Object.assign(row, { owner, epoch: row.epoch + 1, leaseUntil: now + ttlMs });
        return { shard, epoch: row.epoch };
      });
    },
    async release(owner, shards) {
      for (const shard of shards) {
        const row = db.shards.get(shard);
        if (row?.owner === owner) Object.assign(row, { owner: null, leaseUntil: Number.NEGATIVE_INFINITY });
      }
    },
    async leave(owner) {
      db.processes.delete(owner);
    },
  };
}
