import type { Actor } from '@/lib/protocol/actor';
import type { AlertBody, AlertRules, AlertState } from '@/lib/protocol/alerts';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { Alert, AlertStore, StoredRules } from '@/server/ports/alert-store';
import type { AuditLog } from '@/server/ports/audit-log';

export interface AlertServiceDeps {
  store: AlertStore;
  audit: AuditLog;
}

/** Use cases around alerts. */
export class AlertService {
  constructor(private readonly deps: AlertServiceDeps) {}

  /** What is firing and what was resolved, newest first. */
  async list(
    actor: Actor,
    query: { limit: number; cursor?: string | undefined; state?: AlertState | undefined },
  ): Promise<{ items: AlertBody[]; nextCursor: string | null }> {
    requirePermission(actor, 'alerts:read');
    const { limit } = query;
    const rows = await this.deps.store.list(actor.organizationId, {
      limit,
      before: query.cursor ?? null,
      state: query.state ?? null,
    });
    return {
      items: rows.map(toBody),
      nextCursor: rows.length < limit ? null : (rows.at(-1)?.id ?? null),
    };
  }

  async rules(actor: Actor): Promise<StoredRules> {
    requirePermission(actor, 'alerts:read');
    return this.deps.store.rules(actor.organizationId);
  }

  /** They hold from the next round on. Throws VERSION_CONFLICT. */
  async setRules(actor: Actor, rules: AlertRules, seenRevision: number): Promise<StoredRules> {
    requirePermission(actor, 'alerts:write');
    const stored = await this.deps.store.setRules(actor.organizationId, rules, seenRevision, actor.id);
    if (stored === null) {
      throw new AppError('VERSION_CONFLICT', 'The rules were changed by somebody else.', {
        path: '/headers/if-match',
      });
    }
    await this.deps.audit.record(actor, 'alert.rules', 'alert-rules', { revision: stored.revision });
    return stored;
  }
}

function toBody(alert: Alert): AlertBody {
  const { id, rule, subject, state, message, value, threshold } = alert;
  return {
    id,
    rule,
    subject: subject === '' ? null : subject,
    state,
    message,
    value,
    threshold,
    raisedAt: new Date(alert.raisedAt).toISOString(),
    updatedAt: new Date(alert.updatedAt).toISOString(),
    resolvedAt: alert.resolvedAt === null ? null : new Date(alert.resolvedAt).toISOString(),
  };
}
