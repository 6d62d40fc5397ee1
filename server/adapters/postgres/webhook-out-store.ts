import type pg from 'pg';
import type { JsonObject } from '@/lib/shared/json';
import { webhookSecretContext, webhookUrlContext } from '@/server/adapters/postgres/sealed-places';
import { ms, withinOrganization } from '@/server/adapters/postgres/transactions';
import type { Sealer } from '@/server/ports/sealer';
import type { OutboundDelivery, WebhookOut, WebhookOutStore } from '@/server/ports/webhook-out-store';

const COLUMNS = `id, organization_id AS "organizationId", name, revision, target, format, events, workflow, enabled,
  ${ms('failing_since', 'failingSince')}, ${ms('disabled_at', 'disabledAt')}, disabled_reason AS "disabledReason",
  ${ms('CASE WHEN previous_until > clock_timestamp() THEN previous_until END', 'previousUntil')},
  created_by AS "createdBy", ${ms('created_at', 'createdAt')}, ${ms('updated_at', 'updatedAt')}`;

/** Columns of a delivery, of the table under the name `d`. */
export const DELIVERY_COLUMNS = `d.id, d.organization_id AS "organizationId", d.webhook_id AS "webhookId",
  d.event_key AS "eventKey", d.event, d.payload, d.state, d.attempts, d.replays, ${ms('d.next_at', 'nextAt')},
  ${ms('d.created_at', 'createdAt')}, ${ms('d.settled_at', 'settledAt')}, d.history`;

/** The newest number of the organisation's stream; what is committed later has a larger one. */
const HEAD = `coalesce((SELECT last_seq FROM stream_head WHERE organization_id = $1 AND topic = 'runs'), 0)`;

/**
 * Takes the lock of the cursor, so that no dispatch is under way that has not seen the subscription about to come, and
 * makes one when the organisation never had a subscription.
 */
const LOCK_CURSOR = `
INSERT INTO webhook_cursor (organization_id, last_seq, given_up_at) VALUES ($1, ${HEAD}, clock_timestamp())
ON CONFLICT (organization_id) DO UPDATE SET last_seq = webhook_cursor.last_seq`;

/**
 * Subscriptions over `pg`; addresses and secrets are sealed before they are stored.
 *
 * @param app connections as oc_app
 */
export function createWebhookOutStore(app: pg.Pool, sealer: Sealer): WebhookOutStore {
  const context = (organizationId: string, id: string, what: 'url' | 'secret') =>
    (what === 'url' ? webhookUrlContext : webhookSecretContext)(organizationId, [id]);
  const seal = (text: string, organizationId: string, id: string, what: 'url' | 'secret') =>
    Buffer.from(sealer.seal(text, context(organizationId, id, what)));
  const named = async (client: pg.PoolClient, organizationId: string, name: string) => {
    const { rows } = await client.query<WebhookOut>(
      `SELECT ${COLUMNS} FROM webhook_out WHERE organization_id = $1 AND name = $2 FOR UPDATE`,
      [organizationId, name],
    );
    return rows[0] ?? null;
  };
  return {
    list(organizationId) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<WebhookOut>(
          `SELECT ${COLUMNS} FROM webhook_out WHERE organization_id = $1 ORDER BY name`,
          [organizationId],
        );
        return rows;
      });
    },

    get(organizationId, name) {
      return withinOrganization(app, organizationId, (client) => named(client, organizationId, name));
    },

    create({ id, organizationId, name, format, events, workflow, enabled, createdBy }, address, secret) {
      const url = seal(address.url, organizationId, id, 'url');
      const sealed = seal(secret, organizationId, id, 'secret');
      return withinOrganization(app, organizationId, async (client) => {
        await client.query(LOCK_CURSOR, [organizationId]);
        const { rows } = await client.query<WebhookOut>(
          `INSERT INTO webhook_out (organization_id, id, name, format, events, workflow, enabled, url_sealed, target,
             secret_sealed, created_by, from_seq)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, ${HEAD})
           ON CONFLICT (organization_id, name) DO NOTHING RETURNING ${COLUMNS}`,
          [
            organizationId,
            id,
            name,
            format,
            events,
            workflow,
            enabled,
            url,
            address.target,
            sealed,
            createdBy,
          ],
        );
        return rows[0] ?? null;
      });
    },

    update(organizationId, name, { format, events, workflow, enabled }, address, revision) {
      return withinOrganization(app, organizationId, async (client) => {
        // The order of locks is that of a dispatch: the cursor first.
        await client.query(LOCK_CURSOR, [organizationId]);
        const now = await named(client, organizationId, name);
        if (now === null) return 'missing';
        if (revision !== null && revision !== now.revision) return 'stale';
        const url = address === null ? null : seal(address.url, organizationId, now.id, 'url');
        const isSwitchedOn = enabled && !now.enabled;
        const { rows } = await client.query<WebhookOut>(
          `UPDATE webhook_out SET format = $3, events = $4, workflow = $5, enabled = $6,
             url_sealed = coalesce($7, url_sealed), target = coalesce($8, target),
             from_seq = CASE WHEN $9 THEN ${HEAD} ELSE from_seq END,
             from_at = CASE WHEN $9 THEN clock_timestamp() ELSE from_at END,
             failing_since = CASE WHEN $9 OR $7 IS NOT NULL THEN NULL ELSE failing_since END,
             disabled_at = CASE WHEN $6 THEN NULL ELSE disabled_at END,
             disabled_reason = CASE WHEN $6 THEN NULL ELSE disabled_reason END,
             revision = revision + 1, updated_at = clock_timestamp()
           WHERE organization_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
          [
            organizationId,
            now.id,
            format,
            events,
            workflow,
            enabled,
            url,
            address?.target ?? null,
            isSwitchedOn,
          ],
        );
        return rows[0] ? { done: rows[0] } : 'missing';
      });
    },

    remove(organizationId, name) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rowCount } = await client.query(
          'DELETE FROM webhook_out WHERE organization_id = $1 AND name = $2',
          [organizationId, name],
        );
        return (rowCount ?? 0) > 0;
      });
    },

    rotate(organizationId, name, secret, graceMs) {
      return withinOrganization(app, organizationId, async (client) => {
        const now = await named(client, organizationId, name);
        if (now === null) return null;
        const { rows } = await client.query<WebhookOut>(
          `UPDATE webhook_out SET secret_sealed = $3,
             previous_sealed = CASE WHEN $4::float8 > 0 THEN secret_sealed END, previous_until =
               CASE WHEN $4::float8 > 0 THEN clock_timestamp() + make_interval(secs => $4::float8 / 1000) END,
             revision = revision + 1, updated_at = clock_timestamp()
           WHERE organization_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
          [organizationId, now.id, seal(secret, organizationId, now.id, 'secret'), graceMs],
        );
        return rows[0] ?? null;
      });
    },

    async destination(organizationId, id) {
      const row = await withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<{ url: Buffer; now: Buffer; before: Buffer | null }>(
          `SELECT url_sealed AS url, secret_sealed AS now,
             CASE WHEN previous_until > clock_timestamp() THEN previous_sealed END AS before
           FROM webhook_out WHERE organization_id = $1 AND id = $2`,
          [organizationId, id],
        );
        return rows[0];
      });
      if (row === undefined) return null;
      const secrets = [row.now, row.before].flatMap((value) =>
        value === null ? [] : [sealer.open(value, context(organizationId, id, 'secret'))],
      );
      return { url: sealer.open(row.url, context(organizationId, id, 'url')), secrets };
    },

    add({ id, organizationId, webhookId, eventKey, event, payload }) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<OutboundDelivery>(
          `INSERT INTO webhook_out_delivery AS d (id, organization_id, webhook_id, event_key, event, payload)
           VALUES ($1, $2, $3, $4, $5, $6::json) RETURNING ${DELIVERY_COLUMNS}`,
          [id, organizationId, webhookId, eventKey, event, text(payload)],
        );
        return rows[0] as OutboundDelivery;
      });
    },

    deliveries(organizationId, webhookId, { limit, before, state }) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<OutboundDelivery>(
          `SELECT ${DELIVERY_COLUMNS} FROM webhook_out_delivery d
           WHERE d.organization_id = $1 AND d.webhook_id = $2 AND ($3::uuid IS NULL OR d.id < $3)
             AND ($4::text IS NULL OR d.state = $4)
           ORDER BY d.id DESC LIMIT $5`,
          [organizationId, webhookId, before, state, limit],
        );
        return rows;
      });
    },

    delivery(organizationId, webhookId, id) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<OutboundDelivery>(
          `SELECT ${DELIVERY_COLUMNS} FROM webhook_out_delivery d
           WHERE d.organization_id = $1 AND d.webhook_id = $2 AND d.id = $3`,
          [organizationId, webhookId, id],
        );
        return rows[0] ?? null;
      });
    },

    replay(organizationId, webhookId, which) {
      const [where, value] =
        'id' in which
          ? [`id = $3 AND state <> 'waiting'`, which.id]
          : [`state = 'failed' AND created_at >= to_timestamp($3::float8 / 1000)`, which.since];
      return withinOrganization(app, organizationId, async (client) => {
        const { rowCount } = await client.query(
          `UPDATE webhook_out_delivery SET state = 'waiting', attempts = 0, replays = replays + 1,
             next_at = clock_timestamp(), settled_at = NULL
           WHERE organization_id = $1 AND webhook_id = $2 AND ${where}`,
          [organizationId, webhookId, value],
        );
        return rowCount ?? 0;
      });
    },
  };
}

/** JSON for a column. */
function text(payload: JsonObject): string {
  return JSON.stringify(payload);
}
