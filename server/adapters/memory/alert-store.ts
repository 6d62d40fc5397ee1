import { USUAL_ALERT_RULES } from '@/lib/protocol/alerts';
import type { MemoryDatabase } from '@/server/adapters/memory/database';
import type { Alert, AlertBoard, AlertStore, Measured, StoredRules } from '@/server/ports/alert-store';

/** What is measured outside of the twin: rules and firing alerts are its own. */
export type Figures = Omit<Measured, 'rules' | 'firing' | 'openBreakers'>;

/**
 * Alerts without a database. What is told goes to the streams of the in-memory twin of the engine's tables.
 *
 * @param figures what there is to judge now, by organisation
 */
export function createMemoryAlerts(
  db: MemoryDatabase,
  figures: () => Figures[],
): { store: AlertStore; board: AlertBoard } {
  const alerts = new Map<string, Alert>();
  const rules = new Map<string, StoredRules>();
  const breakers = new Map<string, { organizationId: string; server: string }[]>();
  let evaluatedAt = Number.NEGATIVE_INFINITY;
  const rulesOf = (id: string) => rules.get(id) ?? { rules: USUAL_ALERT_RULES, revision: 0 };
  const mine = (id: string) => [...alerts.values()].filter(({ organizationId }) => organizationId === id);

  const store: AlertStore = {
    async list(organizationId, { limit, before, state }) {
      const fitting = mine(organizationId).filter(
        (one) => (before === null || one.id < before) && (state === null || one.state === state),
      );
      return structuredClone(fitting.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit));
    },
    rules: async (organizationId) => structuredClone(rulesOf(organizationId)),
    async setRules(organizationId, next, seenRevision) {
      if (rulesOf(organizationId).revision !== seenRevision) return null;
      const stored = { rules: structuredClone(next), revision: seenRevision + 1 };
      rules.set(organizationId, stored);
      return stored;
    },
  };

  const board: AlertBoard = {
    async report(reporter, open) {
      breakers.set(reporter, [...open]);
    },
    async round(everyMs, judge, tell) {
      const now = db.now();
      if (now - evaluatedAt < everyMs) return null;
      evaluatedAt = now;
      const open = [...breakers.values()].flat();
      const measured = new Map(figures().map((one) => [one.organizationId, one]));
      const ids = [...alerts.values(), ...open].map(({ organizationId }) => organizationId);
      const told: { organizationId: string; seq: number }[] = [];
      for (const organizationId of new Set([...measured.keys(), ...ids])) {
        const none = { organizationId, queued: 0, closed: 0, failed: 0, unreachable: [] };
        const changes = judge(
          {
            ...(measured.get(organizationId) ?? none),
            rules: rulesOf(organizationId).rules,
            openBreakers: open.flatMap((one) => (one.organizationId === organizationId ? one.server : [])),
            firing: structuredClone(mine(organizationId).filter(({ state }) => state === 'firing')),
          },
          now,
        );
        const news = [...changes.raised, ...changes.resolved];
        for (const alert of [...news, ...changes.updated]) alerts.set(alert.id, structuredClone(alert));
        for (const alert of news) {
          tell(alert, []);
          told.push({ organizationId, seq: append(db, alert) });
        }
      }
      return told;
    },
    async forget(days) {
      const before = db.now() - days * 86_400_000;
      const old = [...alerts.values()].filter(({ resolvedAt }) => resolvedAt !== null && resolvedAt < before);
      for (const { id } of old) alerts.delete(id);
      return old.length;
    },
  };
  return { store, board };
}

/** Adds an entry to the topic; gives its number. */
function append(db: MemoryDatabase, alert: Alert): number {
  const key = `${alert.organizationId}:alerts`;
  const entries = db.streams.get(key) ?? [];
  db.streams.set(key, entries);
  const isRaised = alert.state === 'firing';
  const { id, rule, subject, message, value, threshold } = alert;
  const streamSeq = entries.length + 1;
  entries.push({
    streamSeq,
    workflow: '',
    workflowId: '',
    event: {
      runId: id,
      seq: isRaised ? 1 : 2,
      type: isRaised ? 'ALERT_RAISED' : 'ALERT_RESOLVED',
      at: new Date(alert.updatedAt).toISOString(),
      data: { alertId: id, rule, subject: subject || null, message, value, threshold },
    },
  });
  return streamSeq;
}
