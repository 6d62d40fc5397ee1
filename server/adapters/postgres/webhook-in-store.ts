import type pg from 'pg';
import type { InboundDeliveryBody } from '@/lib/protocol/webhooks';
import { webhookInContext } from '@/server/adapters/postgres/sealed-places';
import { ms, withinOrganization } from '@/server/adapters/postgres/transactions';
import type { Sealer } from '@/server/ports/sealer';
import type { WebhookIn, WebhookInStore } from '@/server/ports/webhook-in-store';

/** Deliveries that are kept of each webhook: those with a good signature, and refused ones apart. */
const KEPT = 500;
const KEPT_REFUSED = 100;
/** Old ones are looked for with one delivery in so many. */
const PRUNE_EVERY = 20;

const COLUMNS = `id, organization_id AS "organizationId", name, revision, enabled, scheme, action, condition AS "when",
  ${ms('CASE WHEN previous_until > clock_timestamp() THEN previous_until END', 'previousUntil')},
  ${ms('last_at', 'lastAt')}, created_by AS "createdBy", ${ms('created_at', 'createdAt')},
  ${ms('updated_at', 'updatedAt')}`;

const PRUNE = `
DELETE FROM webhook_in_delivery WHERE webhook_id = $1 AND (status = 'refused') = $2 AND id < (
  SELECT id FROM webhook_in_delivery WHERE webhook_id = $1 AND (status = 'refused') = $2
  ORDER BY id DESC OFFSET $3 LIMIT 1)`;

/**
 * Ways in over `pg`; secrets are sealed before they are stored.
 *
 * @param app connections as oc_app
 * @param engine connections as oc_engine, which may read to whom an id belongs and nothing else of it
 */
export function createWebhookInStore(app: pg.Pool, engine: pg.Pool, sealer: Sealer): WebhookInStore {
  const context = (organizationId: string, id: string) => webhookInContext(organizationId, [id]);
  const one = async (organizationId: string, where: string, value: string): Promise<WebhookIn | null> =>
    withinOrganization(app, organizationId, async (client) => {
      const { rows } = await client.query<WebhookIn>(
        `SELECT ${COLUMNS} FROM webhook_in WHERE organization_id = $1 AND ${where} = $2`,
        [organizationId, value],
      );
      return rows[0] ?? null;
    });
  return {
    async organizationOf(id) {
      const { rows } = await engine.query<{ organization_id: string }>(
        'SELECT organization_id FROM webhook_in WHERE id = $1',
        [id],
      );
      return rows[0]?.organization_id ?? null;
    },

    list(organizationId) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<WebhookIn>(
          `SELECT ${COLUMNS} FROM webhook_in WHERE organization_id = $1 ORDER BY name`,
          [organizationId],
        );
        return rows;
      });
    },

    get: (organizationId, name) => one(organizationId, 'name', name),
    byId: (organizationId, id) => one(organizationId, 'id', id),

    create(hook, secret) {
      const { id, organizationId, name, enabled, scheme, action, when, createdBy } = hook;
      const sealed = Buffer.from(sealer.seal(secret, context(organizationId, id)));
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<WebhookIn>(
          `INSERT INTO webhook_in
             (id, organization_id, name, enabled, scheme, action, condition, secret_sealed, created_by)
           VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8, $9)
           ON CONFLICT (organization_id, name) DO NOTHING RETURNING ${COLUMNS}`,
          [id, organizationId, name, enabled, scheme, JSON.stringify(action), when, sealed, createdBy],
        );
        return rows[0] ?? null;
      });
    },

    update(organizationId, name, { enabled, scheme, action, when }, revision) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<WebhookIn>(
          `UPDATE webhook_in SET enabled = $3, scheme = $4, action = $5::json, condition = $6,
             revision = revision + 1, updated_at = clock_timestamp()
           WHERE organization_id = $1 AND name = $2 AND ($7::integer IS NULL OR revision = $7)
           RETURNING ${COLUMNS}`,
          [organizationId, name, enabled, scheme, JSON.stringify(action), when, revision],
        );
        const row = rows[0];
        if (row) return { done: row };
        const { rowCount } = await client.query(
          'SELECT 1 FROM webhook_in WHERE organization_id = $1 AND name = $2',
          [organizationId, name],
        );
        return rowCount ? 'stale' : 'missing';
      });
    },

    remove(organizationId, name) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rowCount } = await client.query(
          'DELETE FROM webhook_in WHERE organization_id = $1 AND name = $2',
          [organizationId, name],
        );
        return (rowCount ?? 0) > 0;
      });
    },

    rotate(organizationId, name, secret, graceMs) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows: found } = await client.query<{ id: string }>(
          'SELECT id FROM webhook_in WHERE organization_id = $1 AND name = $2 FOR UPDATE',
          [organizationId, name],
        );
        const id = found[0]?.id;
        if (id === undefined) return null;
        const sealed = Buffer.from(sealer.seal(secret, context(organizationId, id)));
        const { rows } = await client.query<WebhookIn>(
          `UPDATE webhook_in SET secret_sealed = $2,
             previous_sealed = CASE WHEN $3::float8 > 0 THEN secret_sealed END, previous_until =
               CASE WHEN $3::float8 > 0 THEN clock_timestamp() + make_interval(secs => $3::float8 / 1000) END,
             revision = revision + 1, updated_at = clock_timestamp()
           WHERE id = $1 RETURNING ${COLUMNS}`,
          [id, sealed, graceMs],
        );
        return rows[0] ?? null;
      });
    },

    async secrets(organizationId, id) {
      const sealed = await withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<{ now: Buffer; before: Buffer | null }>(
          `SELECT secret_sealed AS now,
             CASE WHEN previous_until > clock_timestamp() THEN previous_sealed END AS before
           FROM webhook_in WHERE organization_id = $1 AND id = $2`,
          [organizationId, id],
        );
        return rows[0];
      });
      const list = sealed === undefined ? [] : [sealed.now, sealed.before];
      return list.flatMap((value) =>
        value === null ? [] : [sealer.open(value, context(organizationId, id))],
      );
    },

    taken(organizationId, id, deliveryId) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<InboundDeliveryBody>(
          `SELECT delivery_id AS "deliveryId", status, run_id AS "runId", code, error, bytes
           FROM webhook_in_delivery
           WHERE webhook_id = $1 AND delivery_id = $2 AND status IN ('accepted', 'ignored') ORDER BY id LIMIT 1`,
          [id, deliveryId],
        );
        return rows[0] ?? null;
      });
    },

    async record(organizationId, id, { deliveryId, status, runId, code, error, bytes }) {
      await withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<{ id: number }>(
          `INSERT INTO webhook_in_delivery
             (organization_id, webhook_id, delivery_id, status, run_id, code, error, bytes)
           SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE EXISTS (SELECT 1 FROM webhook_in WHERE id = $2)
           RETURNING id`,
          [organizationId, id, deliveryId, status, runId, code, error, bytes],
        );
        const isRefused = status === 'refused';
        if (!isRefused) {
          await client.query('UPDATE webhook_in SET last_at = clock_timestamp() WHERE id = $1', [id]);
        }
        if (Number(rows[0]?.id ?? 1) % PRUNE_EVERY === 0) {
          await client.query(PRUNE, [id, isRefused, isRefused ? KEPT_REFUSED : KEPT]);
        }
      });
    },

    deliveries(organizationId, id, limit, before) {
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<Omit<InboundDeliveryBody, 'at'> & { at: Date }>(
          `SELECT id, delivery_id AS "deliveryId", at, status, run_id AS "runId", code, error, bytes
           FROM webhook_in_delivery WHERE webhook_id = $1 AND ($2::bigint IS NULL OR id < $2)
           ORDER BY id DESC LIMIT $3`,
          [id, before, limit],
        );
        return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
      });
    },
  };
}
