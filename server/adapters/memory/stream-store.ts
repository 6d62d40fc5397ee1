import type { MemoryDatabase } from '@/server/adapters/memory/database';
import type { StreamRange, StreamStore } from '@/server/ports/stream-store';

const MAX_PUSHED_BYTES = 16_384;

/** Streams without a database. */
export function createMemoryStreamStore(db: MemoryDatabase): StreamStore {
  const stream = (organizationId: string, topic: string) => {
    const key = `${organizationId}:${topic}`;
    const found = db.streams.get(key) ?? [];
    db.streams.set(key, found);
    return found;
  };
  return {
    async relay(limit) {
      const ranges = new Map<string, StreamRange>();
      for (const { organizationId, events } of db.outbox.splice(0, limit)) {
        const entries = stream(organizationId, 'runs');
        const from = entries.length + 1;
        for (const event of events) entries.push({ ...event, streamSeq: entries.length + 1 });
        const before = ranges.get(organizationId)?.from;
        ranges.set(organizationId, {
          organizationId,
          topic: 'runs',
          from: before ?? from,
          to: entries.length,
        });
      }
      return [...ranges.values()];
    },
    async head(organizationId, topic) {
      return stream(organizationId, topic).length;
    },
    // Nothing is ever dropped here.
    async trimmed() {
      return null;
    },
    async read(organizationId, topic, after, limit) {
      return stream(organizationId, topic)
        .slice(after, after + limit)
        .map((entry) =>
          Buffer.byteLength(JSON.stringify(entry.event.data)) <= MAX_PUSHED_BYTES
            ? structuredClone(entry)
            : { ...entry, event: { ...entry.event, data: { truncated: true } } },
        );
    },
  };
}
