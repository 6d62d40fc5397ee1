import type { InboundDeliveryBody } from '@/lib/protocol/webhooks';
import type { WebhookIn, WebhookInStore } from '@/server/ports/webhook-in-store';

const KEPT = 500;
const KEPT_REFUSED = 100;

type Row = WebhookIn & { secret: string; previous: string | null; deliveries: InboundDeliveryBody[] };

/** Ways in without a database: forgotten with the process. */
export function createMemoryWebhookInStore(now: () => number): WebhookInStore {
  const rows = new Map<string, Row>();
  let nextId = 1;
  const named = (organizationId: string, name: string) =>
    [...rows.values()].find((row) => row.organizationId === organizationId && row.name === name);
  const own = (organizationId: string, id: string) => {
    const row = rows.get(id);
    return row?.organizationId === organizationId ? row : undefined;
  };
  const shown = (row: Row): WebhookIn => {
    const { secret: _secret, previous: _previous, deliveries: _deliveries, ...hook } = structuredClone(row);
    const isOver = hook.previousUntil !== null && hook.previousUntil <= now();
    return { ...hook, previousUntil: isOver ? null : hook.previousUntil };
  };
  return {
    organizationOf: async (id) => rows.get(id)?.organizationId ?? null,
    async list(organizationId) {
      const mine = [...rows.values()].filter((row) => row.organizationId === organizationId);
      return mine.map(shown).sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async get(organizationId, name) {
      const row = named(organizationId, name);
      return row ? shown(row) : null;
    },
    async byId(organizationId, id) {
      const row = own(organizationId, id);
      return row ? shown(row) : null;
    },
    async create(hook, secret) {
      if (named(hook.organizationId, hook.name)) return null;
      const at = now();
      const times = { createdAt: at, updatedAt: at, lastAt: null, previousUntil: null };
      const row: Row = { ...hook, ...times, revision: 1, secret, previous: null, deliveries: [] };
      rows.set(hook.id, row);
      return shown(row);
    },
    async update(organizationId, name, facts, revision) {
      const row = named(organizationId, name);
      if (!row) return 'missing';
      if (revision !== null && revision !== row.revision) return 'stale';
      Object.assign(row, facts, { revision: row.revision + 1, updatedAt: now() });
      return { done: shown(row) };
    },
    async remove(organizationId, name) {
      return rows.delete(named(organizationId, name)?.id ?? '');
    },
    async rotate(organizationId, name, secret, graceMs) {
      const row = named(organizationId, name);
      if (!row) return null;
      Object.assign(row, { previous: row.secret, secret, previousUntil: now() + graceMs });
      row.revision++;
      return shown(row);
    },
    async secrets(organizationId, id) {
      const row = own(organizationId, id);
      if (!row) return [];
      const isGood = row.previous !== null && (row.previousUntil ?? 0) > now();
      return [row.secret, ...(isGood ? [row.previous as string] : [])];
    },
    async taken(organizationId, id, deliveryId) {
      const found = own(organizationId, id)?.deliveries.findLast(
        (one) => one.deliveryId === deliveryId && (one.status === 'accepted' || one.status === 'ignored'),
      );
      if (!found) return null;
      const { id: _id, at: _at, ...delivery } = found;
      return delivery;
    },
    async record(organizationId, id, delivery) {
      const row = own(organizationId, id);
      if (!row) return;
      row.deliveries.unshift({ ...delivery, id: nextId++, at: new Date(now()).toISOString() });
      if (delivery.status !== 'refused') row.lastAt = now();
      const kept = { good: 0, refused: 0 };
      row.deliveries = row.deliveries.filter(({ status }) =>
        status === 'refused' ? kept.refused++ < KEPT_REFUSED : kept.good++ < KEPT,
      );
    },
    async deliveries(organizationId, id, limit, before) {
      const all = own(organizationId, id)?.deliveries ?? [];
      return structuredClone(all.filter((one) => before === null || one.id < before).slice(0, limit));
    },
  };
}
