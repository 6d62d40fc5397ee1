import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { JsonObject } from '@/lib/shared/json';
import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import { inOrganization, type UnitOfWork } from '@/server/adapters/postgres/prisma';
import { oauthContext } from '@/server/adapters/postgres/sealed-places';
import type { OAuthKey, OAuthStore } from '@/server/ports/oauth-store';
import type { Sealer } from '@/server/ports/sealer';

const TAKE = `
DELETE FROM oauth_state WHERE state_hash = $1
RETURNING organization_id, server, subject, extract(epoch FROM expires_at)::float8 * 1000 AS expires`;

/** Locks that one process may hold at once. */
const LOCKS = 2;

interface TakenRow {
  organization_id: string;
  server: string;
  subject: string;
  expires: number;
}

/**
 * OAuth registrations, tokens and sign-ins under way, sealed.
 *
 * @param prisma a client that connects as oc_app
 * @param engine connections as oc_engine: a sign-in that comes back does not say whose it is
 */
export function createOAuthStore(prisma: PrismaClient, engine: pg.Pool, sealer: Sealer): OAuthStore {
  const context = ({ organizationId, server, subject }: OAuthKey) =>
    oauthContext(organizationId, [server, subject]);
  // Each holds a connection while it speaks with an authorization server: the engine needs the others.
  const lanes = Array.from({ length: LOCKS }, () => Promise.resolve<unknown>(undefined));
  let next = 0;
  const at = (key: OAuthKey) => ({ organizationId_server_subject: plain(key) });
  const read = async (tx: UnitOfWork, key: OAuthKey) => {
    const row = await tx.oauthRecord.findUnique({ where: at(key) });
    return row === null ? undefined : (JSON.parse(sealer.open(row.sealed, context(key))) as JsonObject);
  };
  const write = async (tx: UnitOfWork, key: OAuthKey, record: JsonObject) => {
    const facts = { sealed: sealer.seal(JSON.stringify(record), context(key)), updatedAt: new Date() };
    await tx.oauthRecord.upsert({ where: at(key), create: { ...plain(key), ...facts }, update: facts });
  };
  return {
    load: (key) => inOrganization(prisma, key.organizationId, (tx) => read(tx, key)),

    change: (key, edit) =>
      inOrganization(prisma, key.organizationId, async (tx) => {
        // There may be no row yet that could be locked.
        await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`change ${context(key)}`}, 0))`;
        await write(tx, key, edit(await read(tx, key)));
      }),

    async remove(key) {
      await inOrganization(prisma, key.organizationId, (tx) =>
        tx.oauthRecord.deleteMany({ where: plain(key) }),
      );
    },

    async exclusively(key, work) {
      const lane = next++ % LOCKS;
      const turn = (lanes[lane] ?? Promise.resolve()).then(() => locked(engine, context(key), work));
      lanes[lane] = turn.catch(() => undefined);
      return turn;
    },

    async rememberState(state, key, expiresAt) {
      const data = { ...plain(key), stateHash: hashOf(state), expiresAt: new Date(expiresAt) };
      await inOrganization(prisma, key.organizationId, (tx) => tx.oauthState.createMany({ data: [data] }));
    },

    async takeState(state, now) {
      const { rows } = await engine.query<TakenRow>(TAKE, [hashOf(state)]);
      await engine.query('DELETE FROM oauth_state WHERE expires_at < $1', [new Date(now)]);
      const [row] = rows;
      if (row === undefined || row.expires < now) return undefined;
      return { organizationId: row.organization_id, server: row.server, subject: row.subject };
    },
  };
}

/** Runs `work` under an advisory lock of the database, which ends with the connection: a process that dies holds nothing. */
async function locked<T>(engine: pg.Pool, name: string, work: () => Promise<T>): Promise<T> {
  const client = await engine.connect();
  let lost: Error | undefined;
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7))', [name]);
    return await work();
  } finally {
    // A connection that cannot end its transaction is thrown away.
    await client.query('ROLLBACK').catch((error: Error) => {
      lost = error;
    });
    client.release(lost);
  }
}

/** Nothing but the key's own fields, whatever else the object given holds. */
function plain({ organizationId, server, subject }: OAuthKey): OAuthKey {
  return { organizationId, server, subject };
}

function hashOf(state: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(state).digest());
}
