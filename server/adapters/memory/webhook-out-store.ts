import type { MemoryDatabase } from '@/server/adapters/memory/database';
import type {
  Destination,
  NewDelivery,
  OutboundDelivery,
  WebhookOut,
  WebhookOutStore,
  WebhookQueue,
} from '@/server/ports/webhook-out-store';

const PER_SUBSCRIPTION = 4;
const PER_ORGANIZATION = 16;
const REST_MS = 5_000;
const KEPT_ATTEMPTS = 10;

type Row = WebhookOut & {
  url: string;
  secret: string;
  previous: string | null;
  fromSeq: number;
  fromAt: number;
};

/** Subscriptions and their queue without a database, over the streams of the in-memory twin of the engine's tables. */
export function createMemoryWebhookOut(
  db: MemoryDatabase,
  restMs = REST_MS,
): { store: WebhookOutStore; queue: WebhookQueue } {
  const rows = new Map<string, Row>();
  const deliveries = new Map<string, OutboundDelivery>();
  /** The one that was served longest ago comes first. */
  const cursors = new Map<string, number>();
  const restsUntil = new Map<string, number>();
  const stream = (organizationId: string) => db.streams.get(`${organizationId}:runs`) ?? [];
  const named = (organizationId: string, name: string) =>
    [...rows.values()].find((row) => row.organizationId === organizationId && row.name === name);
  const enabled = (organizationId: string) =>
    [...rows.values()].filter((row) => row.organizationId === organizationId && row.enabled);
  const shown = (row: Row): WebhookOut => {
    const { url: _u, secret: _s, previous: _p, fromSeq: _f, fromAt: _a, ...hook } = structuredClone(row);
    const isOver = hook.previousUntil !== null && hook.previousUntil <= db.now();
    return { ...hook, previousUntil: isOver ? null : hook.previousUntil };
  };
  const add = (one: NewDelivery): OutboundDelivery => {
    const known = [...deliveries.values()].find(
      ({ webhookId, eventKey }) => webhookId === one.webhookId && eventKey === one.eventKey,
    );
    if (known) return known;
    const at = db.now();
    const counts = { attempts: 0, replays: 0, nextAt: at, createdAt: at, settledAt: null, history: [] };
    const delivery: OutboundDelivery = { ...structuredClone(one), ...counts, state: 'waiting' };
    deliveries.set(one.id, delivery);
    return delivery;
  };
  const own = (organizationId: string, webhookId: string) =>
    [...deliveries.values()].filter(
      (one) => one.organizationId === organizationId && one.webhookId === webhookId,
    );

  const store: WebhookOutStore = {
    async list(organizationId) {
      const mine = [...rows.values()].filter((row) => row.organizationId === organizationId);
      return mine.map(shown).sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async get(organizationId, name) {
      const row = named(organizationId, name);
      return row ? shown(row) : null;
    },
    async create(hook, { url, target }, secret) {
      const { organizationId } = hook;
      if (named(organizationId, hook.name)) return null;
      const head = stream(organizationId).length;
      cursors.set(organizationId, cursors.get(organizationId) ?? head);
      const at = db.now();
      const none = { failingSince: null, disabledAt: null, disabledReason: null, previousUntil: null };
      const times = { createdAt: at, updatedAt: at, fromSeq: head, fromAt: at };
      const row: Row = { ...hook, ...none, ...times, revision: 1, url, target, secret, previous: null };
      rows.set(hook.id, row);
      return shown(row);
    },
    async update(organizationId, name, facts, address, revision) {
      const row = named(organizationId, name);
      if (!row) return 'missing';
      if (revision !== null && revision !== row.revision) return 'stale';
      if (facts.enabled && !row.enabled) {
        Object.assign(row, { fromSeq: stream(organizationId).length, fromAt: db.now(), failingSince: null });
      }
      if (facts.enabled) Object.assign(row, { disabledAt: null, disabledReason: null });
      Object.assign(row, facts, address === null ? {} : { ...address, failingSince: null });
      Object.assign(row, { revision: row.revision + 1, updatedAt: db.now() });
      return { done: shown(row) };
    },
    async remove(organizationId, name) {
      const id = named(organizationId, name)?.id ?? '';
      for (const one of own(organizationId, id)) deliveries.delete(one.id);
      return rows.delete(id);
    },
    async rotate(organizationId, name, secret, graceMs) {
      const row = named(organizationId, name);
      if (!row) return null;
      Object.assign(row, { previous: row.secret, secret, previousUntil: db.now() + graceMs });
      row.revision++;
      return shown(row);
    },
    async destination(organizationId, id): Promise<Destination | null> {
      const row = rows.get(id);
      if (row?.organizationId !== organizationId) return null;
      const isGood = row.previous !== null && (row.previousUntil ?? 0) > db.now();
      return { url: row.url, secrets: [row.secret, ...(isGood ? [row.previous as string] : [])] };
    },
    add: async (delivery) => structuredClone(add(delivery)),
    async deliveries(organizationId, webhookId, { limit, before, state }) {
      const fitting = own(organizationId, webhookId).filter(
        (one) => (before === null || one.id < before) && (state === null || one.state === state),
      );
      return structuredClone(fitting.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit));
    },
    async delivery(organizationId, webhookId, id) {
      const found = own(organizationId, webhookId).find((one) => one.id === id);
      return found ? structuredClone(found) : null;
    },
    async replay(organizationId, webhookId, which) {
      const fitting = own(organizationId, webhookId).filter((one) =>
        'id' in which
          ? one.id === which.id && one.state !== 'waiting'
          : one.state === 'failed' && one.createdAt >= which.since,
      );
      const again = { state: 'waiting', attempts: 0, nextAt: db.now(), settledAt: null };
      for (const one of fitting) Object.assign(one, again, { replays: one.replays + 1 });
      return fitting.length;
    },
  };

  const queue: WebhookQueue = {
    async dispatch(types, match) {
      const isDue = (id: string) => (restsUntil.get(id) ?? 0) <= db.now();
      const next = [...cursors].find(([id, seen]) => isDue(id) && stream(id).length > seen);
      if (next === undefined) return null;
      const [organizationId, seen] = next;
      const moveTo = (place: number) => {
        cursors.delete(organizationId);
        cursors.set(organizationId, place);
      };
      const all = enabled(organizationId);
      const entries = stream(organizationId).slice(seen);
      const offered = entries
        .filter(({ event }) => types.includes(event.type))
        .map(({ streamSeq, workflow, workflowId, event }) => ({
          event: {
            organizationId,
            runId: event.runId,
            seq: event.seq,
            type: event.type,
            at: Date.parse(event.at),
            workflow,
            workflowId,
            version: db.runs.get(event.runId)?.run.version ?? 0,
            data: event.type === 'WORKFLOW_EXECUTION_COMPLETED' ? null : event.data,
          },
          subscriptions: all.filter(({ fromSeq }) => streamSeq > fromSeq),
        }));
      try {
        for (const delivery of await match(offered)) add(delivery);
      } catch (error) {
        moveTo(seen);
        restsUntil.set(organizationId, db.now() + restMs);
        return { organizationId, error };
      }
      moveTo(seen + entries.length);
      return { organizationId, error: null };
    },
    async claim(limit, leaseMs, busy = []) {
      const due = [...rows.values()]
        .filter((row) => row.enabled)
        .flatMap((row) => {
          const open = busy.filter(({ webhookId }) => webhookId === row.id).length;
          return own(row.organizationId, row.id)
            .filter((one) => one.state === 'waiting' && one.nextAt <= db.now())
            .sort((a, b) => a.nextAt - b.nextAt)
            .slice(0, Math.max(PER_SUBSCRIPTION - open, 0))
            .map((one, i) => ({ one, format: row.format, place: i + open }));
        })
        .sort((a, b) => a.place - b.place || a.one.nextAt - b.one.nextAt);
      const had = new Map<string, number>();
      for (const { organizationId } of busy) had.set(organizationId, (had.get(organizationId) ?? 0) + 1);
      const inTurn = due
        .map(({ one, format }) => {
          const turn = (had.get(one.organizationId) ?? 0) + 1;
          had.set(one.organizationId, turn);
          return { one, format, turn };
        })
        .filter(({ turn }) => turn <= PER_ORGANIZATION)
        .sort((a, b) => a.turn - b.turn || a.one.nextAt - b.one.nextAt);
      return inTurn.slice(0, limit).map(({ one, format }) => {
        one.nextAt = db.now() + leaseMs;
        return { ...structuredClone(one), format };
      });
    },
    async settle({ id, webhookId, history }, { attempt, delivered, retryAfterMs }) {
      const one = deliveries.get(id);
      if (one?.state === 'waiting') {
        const isOver = delivered || retryAfterMs === null;
        one.attempts++;
        one.history = [...history, attempt].slice(-KEPT_ATTEMPTS);
        one.state = delivered ? 'delivered' : isOver ? 'failed' : 'waiting';
        one.settledAt = isOver ? db.now() : null;
        one.nextAt = db.now() + (retryAfterMs ?? 0);
      }
      const row = rows.get(webhookId);
      if (row) row.failingSince = delivered ? null : (row.failingSince ?? db.now());
      return row?.failingSince ?? null;
    },
    async disable({ organizationId, webhookId }, reason, tell) {
      const row = rows.get(webhookId);
      if (!row?.enabled) return false;
      Object.assign(row, { enabled: false, disabledAt: db.now(), disabledReason: reason });
      for (const one of own(organizationId, webhookId)) {
        if (one.state === 'waiting') Object.assign(one, { state: 'failed', settledAt: db.now() });
      }
      for (const other of enabled(organizationId)) {
        const delivery = tell(other, row.name);
        if (delivery !== null) add(delivery);
      }
      return true;
    },
    async forget(days) {
      const old = [...deliveries.values()].filter(
        ({ settledAt }) => settledAt !== null && settledAt < db.now() - days * 86_400_000,
      );
      for (const { id } of old) deliveries.delete(id);
      return old.length;
    },
  };
  return { store, queue };
}
