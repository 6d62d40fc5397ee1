import { maskEvent } from '@/lib/engine/mask-events';
import type { StreamStore } from '@/server/ports/stream-store';
import type { RunMasks } from '@/server/services/run-masks';

/** The numbered streams as watchers may see them: sockets, server-sent events and long polls read this one. */
export function maskedStreams(store: StreamStore, masks: RunMasks): StreamStore {
  return {
    ...store,
    async read(organizationId, topic, after, limit) {
      const items = await store.read(organizationId, topic, after, limit);
      if (topic !== 'runs' || items.length === 0) return items;
      const found = await masks.ofAll(organizationId, [...new Set(items.map(({ event }) => event.runId))]);
      if (found.size === 0) return items;
      return items.map((item) => {
        const masker = found.get(item.event.runId);
        return masker === undefined ? item : { ...item, event: maskEvent(masker, item.event) };
      });
    },
  };
}
