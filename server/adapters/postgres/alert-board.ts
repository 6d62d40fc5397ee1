import type pg from 'pg';
import { type AlertRules, USUAL_ALERT_RULES } from '@/lib/protocol/alerts';
import { ALERT_COLUMNS, readRules } from '@/server/adapters/postgres/alert-store';
import { inTransaction, ms } from '@/server/adapters/postgres/transactions';
import { insert } from '@/server/adapters/postgres/webhook-queue';
import type { Alert, AlertBoard, AlertChanges, Measured } from '@/server/ports/alert-store';
import type { Subscription } from '@/server/ports/webhook-out-store';

/** What a process says of itself counts this long; it says so again in every round. */
const OBSERVED = `interval '1 minute'`;
/** Probes older than this say nothing about now: the server is gone, or nobody probes. */
const PROBED = `interval '1 hour'`;
/** Longest window that a rule can have; runs that closed earlier are not looked at. */
const WINDOW = `interval '60 minutes'`;

const TURN = `
INSERT INTO alert_round (evaluated_at)
SELECT clock_timestamp() WHERE pg_try_advisory_xact_lock(hashtext('openconductor alerts'))
ON CONFLICT (only_row) DO UPDATE SET evaluated_at = excluded.evaluated_at
  WHERE alert_round.evaluated_at <= excluded.evaluated_at - make_interval(secs => $1::float8 / 1000)
RETURNING ${ms('evaluated_at', 'now')}`;

const QUEUED = 'SELECT organization_id AS id, count(*)::float8 AS n FROM workflow_inbox GROUP BY 1';

/** Minutes of the window by organisation: the rules are joined, so that one reading serves all. */
const CLOSED = `
SELECT r.organization_id AS id, count(*)::float8 AS closed,
  count(*) FILTER (WHERE r.status IN ('failed', 'timed_out', 'dead_letter'))::float8 AS failed
FROM workflow_run r
LEFT JOIN unnest($1::uuid[], $2::float8[]) AS w(organization_id, minutes) ON w.organization_id = r.organization_id
WHERE r.closed_at > clock_timestamp() - ${WINDOW} AND r.status <> 'continued_as_new'
  AND r.closed_at > clock_timestamp() - make_interval(secs => coalesce(w.minutes, $3::float8) * 60)
GROUP BY 1`;

const BREAKERS = `
SELECT DISTINCT organization_id AS id, subject AS server FROM alert_observation
WHERE rule = 'breaker-open' AND seen_at > clock_timestamp() - ${OBSERVED}`;

/** How many of the newest probes of each server in a row found nobody. */
const UNREACHABLE = `
SELECT organization_id AS id, server, count(*)::float8 AS probes FROM (
  SELECT organization_id, server,
    bool_and(state = 'UNREACHABLE') OVER (PARTITION BY organization_id, server ORDER BY at DESC, id DESC) AS still
  FROM server_health WHERE at > clock_timestamp() - ${PROBED}
) AS probe WHERE still GROUP BY 1, 2`;

const SAVE = `
INSERT INTO alert (id, organization_id, rule, subject, state, message, value, threshold, raised_at, updated_at,
  quiet_since, resolved_at)
SELECT a.id, a."organizationId", a.rule, a.subject, a.state, a.message, a.value, a.threshold,
  to_timestamp(a."raisedAt" / 1000), to_timestamp(a."updatedAt" / 1000), to_timestamp(a."quietSince" / 1000),
  to_timestamp(a."resolvedAt" / 1000)
FROM json_to_recordset($1::json) AS a(id uuid, "organizationId" uuid, rule text, subject text, state text, message text,
  value float8, threshold float8, "raisedAt" float8, "updatedAt" float8, "quietSince" float8, "resolvedAt" float8)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, message = excluded.message, value = excluded.value,
  threshold = excluded.threshold, updated_at = excluded.updated_at, quiet_since = excluded.quiet_since,
  resolved_at = excluded.resolved_at`;

/** The row of the head is locked until the commit: numbers have no gaps, and become visible in their order. */
const TELL = `
WITH head AS (
  INSERT INTO stream_head (organization_id, topic, last_seq) VALUES ($1, 'alerts', 1)
  ON CONFLICT (organization_id, topic) DO UPDATE SET last_seq = stream_head.last_seq + 1 RETURNING last_seq
)
INSERT INTO alert_change (organization_id, seq, alert_id, step, type, at, data)
SELECT $1, last_seq, $2, $3, $4, to_timestamp($5::float8 / 1000), $6::json FROM head RETURNING seq`;

type Row<T> = { id: string } & T;

/**
 * The watch's view of all organisations, over `pg`.
 *
 * @param pool connections as oc_engine
 */
export function createAlertBoard(pool: pg.Pool): AlertBoard {
  return {
    async report(reporter, breakers) {
      await inTransaction(pool, async (client) => {
        await client.query(
          `DELETE FROM alert_observation WHERE reporter = $1 OR seen_at < clock_timestamp() - ${OBSERVED}`,
          [reporter],
        );
        if (breakers.length === 0) return;
        await client.query(
          `INSERT INTO alert_observation (organization_id, rule, subject, reporter, seen_at)
           SELECT o, 'breaker-open', s, $3, clock_timestamp() FROM unnest($1::uuid[], $2::text[]) AS b(o, s)
           ON CONFLICT DO NOTHING`,
          [
            breakers.map(({ organizationId }) => organizationId),
            breakers.map(({ server }) => server),
            reporter,
          ],
        );
      });
    },

    round(everyMs, judge, tell) {
      return inTransaction(pool, async (client) => {
        const turn = await client.query<{ now: number }>(TURN, [everyMs]);
        const now = turn.rows[0]?.now;
        if (now === undefined) return null;
        const told: { organizationId: string; seq: number }[] = [];
        for (const measured of await measure(client)) {
          const changes = judge(measured, now);
          told.push(...(await save(client, measured.organizationId, changes, tell)));
        }
        return told;
      });
    },

    async forget(days) {
      const age = [days];
      await pool.query(
        'DELETE FROM alert_change WHERE at < clock_timestamp() - make_interval(days => $1)',
        age,
      );
      const { rowCount } = await pool.query(
        'DELETE FROM alert WHERE resolved_at < clock_timestamp() - make_interval(days => $1)',
        age,
      );
      return rowCount ?? 0;
    },
  };
}

/** Every organisation about which there is anything to judge. */
async function measure(client: pg.PoolClient): Promise<Measured[]> {
  const stored = await client.query<Row<{ rules: unknown }>>(
    'SELECT organization_id AS id, rules FROM alert_rules',
  );
  const rules = new Map<string, AlertRules>(stored.rows.map((row) => [row.id, readRules(row.rules)]));
  const usual = USUAL_ALERT_RULES['failure-rate'].minutes;
  const firing = await client.query<Alert>(`SELECT ${ALERT_COLUMNS} FROM alert WHERE state = 'firing'`);
  const queued = await client.query<Row<{ n: number }>>(QUEUED);
  const closed = await client.query<Row<{ closed: number; failed: number }>>(CLOSED, [
    [...rules.keys()],
    [...rules.values()].map((one) => one['failure-rate'].minutes),
    usual,
  ]);
  const breakers = await client.query<Row<{ server: string }>>(BREAKERS);
  const unreachable = await client.query<Row<{ server: string; probes: number }>>(UNREACHABLE);
  const ids = new Set([
    ...firing.rows.map(({ organizationId }) => organizationId),
    ...[queued, closed, breakers, unreachable].flatMap(({ rows }) => rows.map(({ id }) => id)),
  ]);
  const of = <T extends { id: string }>({ rows }: { rows: T[] }, id: string) =>
    rows.filter((row) => row.id === id);
  return [...ids].map((organizationId) => ({
    organizationId,
    rules: rules.get(organizationId) ?? USUAL_ALERT_RULES,
    queued: of(queued, organizationId)[0]?.n ?? 0,
    closed: of(closed, organizationId)[0]?.closed ?? 0,
    failed: of(closed, organizationId)[0]?.failed ?? 0,
    openBreakers: of(breakers, organizationId).map(({ server }) => server),
    unreachable: of(unreachable, organizationId).map(({ server, probes }) => ({ server, probes })),
    firing: firing.rows.filter((alert) => alert.organizationId === organizationId),
  }));
}

async function save(
  client: pg.PoolClient,
  organizationId: string,
  { raised, resolved, updated }: AlertChanges,
  tell: Parameters<AlertBoard['round']>[2],
): Promise<{ organizationId: string; seq: number }[]> {
  const all = [...raised, ...resolved, ...updated];
  if (all.length === 0) return [];
  await client.query(SAVE, [JSON.stringify(all)]);
  const news = [...raised, ...resolved];
  if (news.length === 0) return [];
  const { rows: subscriptions } = await client.query<Subscription>(
    'SELECT id, events, workflow FROM webhook_out WHERE organization_id = $1 AND enabled',
    [organizationId],
  );
  const told: { organizationId: string; seq: number }[] = [];
  for (const alert of news) {
    await insert(client, tell(alert, subscriptions));
    const isRaised = alert.state === 'firing';
    const { rule, subject, message, value, threshold } = alert;
    const data = { alertId: alert.id, rule, subject: subject || null, message, value, threshold };
    const { rows } = await client.query<{ seq: number }>(TELL, [
      organizationId,
      alert.id,
      isRaised ? 1 : 2,
      isRaised ? 'ALERT_RAISED' : 'ALERT_RESOLVED',
      alert.updatedAt,
      JSON.stringify(data),
    ]);
    const seq = rows[0]?.seq;
    if (seq !== undefined) told.push({ organizationId, seq: Number(seq) });
  }
  return told;
}
