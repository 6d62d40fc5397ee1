import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { IDENTITY_CONTEXT, SEALED_PLACES, type SealedPlace } from '@/server/adapters/postgres/sealed-places';
import { inTransaction, ms, withinOrganization } from '@/server/adapters/postgres/transactions';
import { keyIdOf } from '@/server/adapters/sealer';
import type { KeyHolder, Rotation, SealState, SealStore } from '@/server/ports/seal-store';

/** A process that did not report for so long is gone. */
const GONE_SECONDS = 60;
/** Forgotten altogether. */
const FORGET_SECONDS = 3_600;

const STATE = `SELECT active_key AS "activeKey", form, identity_sealed AS "identitySealed", phase, from_key AS "from",
  to_key AS "to", started_by AS "startedBy", ${ms('started_at', 'startedAt')}, ${ms('ended_at', 'endedAt')}, total, done,
  unreadable FROM seal_state`;

/** One rotation works at a time; which process does so changes from batch to batch. */
const TURN = `SELECT pg_try_advisory_xact_lock(hashtextextended('openconductor key rotation', 0)) AS mine`;

type StateRow = Omit<SealState, 'rotation'> & Omit<Rotation, 'phase'> & { phase: Rotation['phase'] | null };

/**
 * The state of the master key over `pg`. Values are read and written within one organisation at a time: no role sees those
 * of all.
 *
 * @param app connections as oc_app
 */
export function createSealStore(app: pg.Pool): SealStore {
  const read = async (): Promise<SealState> => {
    const { rows } = await app.query<StateRow>(STATE);
    if (rows[0] === undefined) throw new Error('The state of the master key is gone from the database.');
    return stateOf(rows[0]);
  };
  return {
    places: SEALED_PLACES.length,
    read,

    async claim(activeKey, identity) {
      await app.query(
        'INSERT INTO seal_state (active_key, identity_sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING',
        [activeKey, Buffer.from(identity)],
      );
      return read();
    },

    async report({ processId, host, pid, keys, activeKey }) {
      await app.query(
        `INSERT INTO seal_holder (process_id, host, pid, keys, active_key) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (process_id) DO UPDATE SET keys = $4, active_key = $5, seen_at = clock_timestamp()`,
        [processId, host, pid, keys, activeKey],
      );
    },

    async forget(processId) {
      await app.query(
        `DELETE FROM seal_holder WHERE process_id = $1 OR seen_at < clock_timestamp() - make_interval(secs => $2)`,
        [processId, FORGET_SECONDS],
      );
    },

    holders: () => holdersOf(app),

    async begin(from, to, by) {
      await app.query(
        `UPDATE seal_state SET phase = 'preparing', from_key = $1, to_key = $2, started_by = $3, started_at = now(),
           ended_at = NULL, total = NULL, done = 0, unreadable = 0, retired_keys = array_remove(retired_keys, $2)
         WHERE coalesce(phase, 'done') = 'done' AND active_key = $1`,
        [from, to, by],
      );
    },

    async activate(to) {
      await app.query(
        `UPDATE seal_state SET phase = 'resealing', active_key = $1, form = 2 WHERE phase = 'preparing' AND to_key = $1`,
        [to],
      );
    },

    async count(organizations, keyId) {
      let found = 0;
      for (const organizationId of organizations)
        found += await withinOrganization(app, organizationId, (client) =>
          countWithin(client, organizationId, keyId),
        );
      return found;
    },

    async setTotal(total) {
      await app.query(`UPDATE seal_state SET total = $1 WHERE phase = 'resealing' AND total IS NULL`, [
        total,
      ]);
    },

    reseal(organizationId, { place: number, from, after, limit }, reseal) {
      const place = SEALED_PLACES[number] as SealedPlace;
      const keys = place.keys.map((key) => `${key}::text`);
      const marks = keys.map((_key, i) => `$${i + 4}`);
      return withinOrganization(app, organizationId, async (client) => {
        if (!(await isOurTurn(client))) return null;
        const { rows } = await client.query<{ sealed: Buffer; keys: string[] }>(
          `SELECT ${place.column} AS sealed, ARRAY[${keys.join(', ')}] AS keys FROM ${place.table}
           WHERE organization_id = $1 AND encode(substring(${place.column} FROM 2 FOR 4), 'hex') = $2
             ${after.length > 0 ? `AND (${keys.join(', ')}) > (${marks.join(', ')})` : ''}
           ORDER BY ${keys.join(', ')} LIMIT $3 FOR UPDATE`,
          [organizationId, from, limit, ...after],
        );
        let resealed = 0;
        for (const row of rows) {
          const value = attempt(() => reseal(row.sealed, place.context(organizationId, row.keys)));
          if (value === null) continue;
          await client.query(
            `UPDATE ${place.table} SET ${place.column} = $2
             WHERE organization_id = $1 AND ${keys.map((key, i) => `${key} = $${i + 3}`).join(' AND ')}`,
            [organizationId, Buffer.from(value), ...row.keys],
          );
          resealed += 1;
        }
        if (resealed > 0) await client.query('UPDATE seal_state SET done = done + $1', [resealed]);
        const last = rows.length < limit ? null : (rows.at(-1)?.keys ?? null);
        return { resealed, unreadable: rows.length - resealed, last };
      });
    },

    async resealIdentity(from, reseal) {
      await inTransaction(app, async (client) => {
        const { rows } = await client.query<{ sealed: Buffer }>(
          'SELECT identity_sealed AS sealed FROM seal_state FOR UPDATE',
        );
        const sealed = rows[0]?.sealed;
        if (sealed === undefined || keyIdOf(sealed) !== from) return;
        await client.query('UPDATE seal_state SET identity_sealed = $1', [
          Buffer.from(reseal(sealed, IDENTITY_CONTEXT)),
        ]);
      });
    },

    finish(organizations, unreadable, auditIn) {
      return inTransaction(app, async (client) => {
        if (!(await isOurTurn(client))) return false;
        // Waits for every write whose trigger looked at the state before, and holds back those after.
        const { rows } = await client.query<StateRow>(`${STATE} FOR UPDATE`);
        const rotation = rows[0] && stateOf(rows[0]).rotation;
        if (rotation?.phase !== 'resealing') return false;
        const { from, to, total, done } = rotation;
        if ((await holdersOf(client)).some((holder) => holder.activeKey !== to)) return false;
        let left = 0;
        for (const organizationId of await organizations()) {
          await client.query(`SELECT set_config('app.organization_id', $1, true)`, [organizationId]);
          left += await countWithin(client, organizationId, from);
        }
        if (left > unreadable) return false;
        await client.query(
          `UPDATE seal_state SET phase = 'done', ended_at = clock_timestamp(), unreadable = $2,
             retired_keys = array_append(array_remove(retired_keys, $1), $1)`,
          [from, left],
        );
        await client.query(`SELECT set_config('app.organization_id', $1, true)`, [auditIn]);
        await client.query(
          `INSERT INTO audit_entry (id, organization_id, actor_kind, actor_id, action, object, details)
           VALUES ($1, $2, 'system', 'key-rotation', 'secret.key-rotated', $3, $4)`,
          [randomUUID(), auditIn, to, JSON.stringify({ from, to, values: done, total, unreadable: left })],
        );
        return true;
      });
    },
  };
}

async function isOurTurn(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>(TURN);
  return rows[0]?.mine === true;
}

async function countWithin(client: pg.PoolClient, organizationId: string, keyId: string): Promise<number> {
  const counts = SEALED_PLACES.map(
    ({ table, column }) =>
      `(SELECT count(*) FROM ${table} WHERE organization_id = $1
        AND encode(substring(${column} FROM 2 FOR 4), 'hex') = $2)`,
  );
  const { rows } = await client.query<{ n: number }>(`SELECT ${counts.join(' + ')} AS n`, [
    organizationId,
    keyId,
  ]);
  return rows[0]?.n ?? 0;
}

async function holdersOf(client: pg.Pool | pg.PoolClient): Promise<KeyHolder[]> {
  const { rows } = await client.query<KeyHolder>(
    `SELECT process_id AS "processId", host, pid, keys, active_key AS "activeKey" FROM seal_holder
     WHERE seen_at > clock_timestamp() - make_interval(secs => $1) ORDER BY host, pid`,
    [GONE_SECONDS],
  );
  return rows;
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

function stateOf({ activeKey, form, identitySealed, phase, ...rotation }: StateRow): SealState {
  return { activeKey, form, identitySealed, rotation: phase === null ? null : { phase, ...rotation } };
}
