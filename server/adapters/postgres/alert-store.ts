import type pg from 'pg';
import { alertRulesSchema, USUAL_ALERT_RULES } from '@/lib/protocol/alerts';

import { ms, withinOrganization } from '@/server/adapters/postgres/transactions';
import type { Alert, AlertStore, StoredRules } from '@/server/ports/alert-store';

/** Columns of an alert. */
export const ALERT_COLUMNS = `id, organization_id AS "organizationId", rule, subject, state, message, value, threshold,
  ${ms('raised_at', 'raisedAt')}, ${ms('updated_at', 'updatedAt')}, ${ms('quiet_since', 'quietSince')},
  ${ms('resolved_at', 'resolvedAt')}`;

/** Stored rules as they hold; what a later version added has its usual value. */
export function readRules(stored: unknown): StoredRules['rules'] {
  const parsed = alertRulesSchema.safeParse(stored);
  return parsed.success ? parsed.data : USUAL_ALERT_RULES;
}

/**
 * Alerts as people read them, over `pg`.
 *
 * @param app connections as oc_app
 */
export function createAlertStore(app: pg.Pool): AlertStore {
  return {
    list(organizationId, { limit, before, state }) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<Alert>(
          `SELECT ${ALERT_COLUMNS} FROM alert
           WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR state = $3)
           ORDER BY id DESC LIMIT $4`,
          [organizationId, before, state, limit],
        );
        return rows;
      });
    },

    rules(organizationId) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<{ rules: unknown; revision: number }>(
          'SELECT rules, revision FROM alert_rules WHERE organization_id = $1',
          [organizationId],
        );
        const row = rows[0];
        return row
          ? { rules: readRules(row.rules), revision: row.revision }
          : { rules: USUAL_ALERT_RULES, revision: 0 };
      });
    },

    setRules(organizationId, rules, seenRevision, by) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<{ revision: number }>(
          seenRevision === 0
            ? `INSERT INTO alert_rules (organization_id, rules, updated_by) VALUES ($1, $2::json, $3)
               ON CONFLICT (organization_id) DO NOTHING RETURNING revision`
            : `UPDATE alert_rules SET rules = $2::json, updated_by = $3, revision = revision + 1,
                 updated_at = clock_timestamp()
               WHERE organization_id = $1 AND revision = $4 RETURNING revision`,
          [organizationId, JSON.stringify(rules), by, ...(seenRevision === 0 ? [] : [seenRevision])],
        );
        const row = rows[0];
        return row ? { rules, revision: row.revision } : null;
      });
    },
  };
}
