import { createHash, createHmac } from 'node:crypto';
import type pg from 'pg';
import { DatabaseSetupError, sqlState } from './setup-error';

/**
 * The database roles. oc_owner owns the tables and runs migrations; oc_auth reads and writes the identity tables;
 * oc_app serves people and is bound by row-level security; oc_engine runs workflows of every organisation.
 */
export const DATABASE_ROLES = ['oc_owner', 'oc_auth', 'oc_app', 'oc_engine'] as const;
export type DatabaseRole = (typeof DATABASE_ROLES)[number];

/**
 * Password of a role: HMAC-SHA256 of its name under the administrator's password, in hex. Every process that has
 * the same DATABASE_URL derives the same ones, so none is stored or passed on.
 */
export function rolePassword(adminUrl: string, role: DatabaseRole): string {
  return createHmac('sha256', decodeURIComponent(new URL(adminUrl).password))
    .update(role)
    .digest('hex');
}

/** The administrator's URL with user and password of `role` in their place; host, database and options stay. */
export function roleUrl(adminUrl: string, role: DatabaseRole): string {
  const url = new URL(adminUrl);
  url.username = role;
  url.password = rolePassword(adminUrl, role);
  return url.href;
}

/**
 * What is noted on a role so that the next start sees, without logging in as it, that its password is still the
 * derived one. It gives nothing away: the password is 256 bits that look random.
 */
export function roleMark(adminUrl: string, role: DatabaseRole): string {
  const digest = createHash('sha256')
    .update(`mark:${rolePassword(adminUrl, role)}`)
    .digest('hex');
  return `OpenConductor ${digest.slice(0, 32)}`;
}

/** State of one role as the catalogue shows it. */
interface RoleRow {
  rolname: string;
  unsafe: boolean;
  mark: string | null;
}

/** The roles that exist, by name. Any role may ask. */
async function readRoles(client: pg.Client): Promise<Map<string, RoleRow>> {
  const { rows } = await client.query<RoleRow>(
    `SELECT rolname, rolsuper OR rolbypassrls OR NOT rolcanlogin AS unsafe,
            shobj_description(oid, 'pg_authid') AS mark
     FROM pg_roles WHERE rolname = ANY($1)`,
    [DATABASE_ROLES],
  );
  return new Map(rows.map((row) => [row.rolname, row]));
}

/** True when all roles exist with the derived passwords and without the rights they must not have. */
export async function rolesAreReady(client: pg.Client, adminUrl: string): Promise<boolean> {
  const roles = await readRoles(client);
  return DATABASE_ROLES.every((role) => {
    const row = roles.get(role);
    return row !== undefined && !row.unsafe && row.mark === roleMark(adminUrl, role);
  });
}

/** Two starts that create the same role at once: the loser sees one of these and looks again. */
const LOST_RACE = new Set(['23505', '42710', 'XX000', '40001']);

/**
 * Creates the roles that are missing and sets the passwords that differ.
 * @throws DatabaseSetupError when the administrator may not do that
 */
export async function createRoles(client: pg.Client, adminUrl: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await createRolesOnce(client, adminUrl);
      return;
    } catch (error) {
      if (attempt < 5 && LOST_RACE.has(sqlState(error) ?? '')) continue;
      if (sqlState(error) !== '42501') throw error;
      throw new DatabaseSetupError(
        `The user "${decodeURIComponent(new URL(adminUrl).username)}" of DATABASE_URL may not create the roles ` +
          `${DATABASE_ROLES.join(', ')}. Give it the right (ALTER ROLE … CREATEROLE), or use a superuser.`,
        error,
      );
    }
  }
}

async function createRolesOnce(client: pg.Client, adminUrl: string): Promise<void> {
  const existing = await readRoles(client);
  for (const role of DATABASE_ROLES) {
    const row = existing.get(role);
    const mark = roleMark(adminUrl, role);
    if (row !== undefined && !row.unsafe && row.mark === mark) continue;
    // Role names are ours and passwords and marks are hex: none can break out of its quotes. Attributes that only a
    // superuser may name (NOSUPERUSER, NOBYPASSRLS) are left out for a new role, whose default they are.
    const password = rolePassword(adminUrl, role);
    if (row === undefined) {
      await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`);
    } else {
      await client.query(
        `ALTER ROLE ${role} LOGIN PASSWORD '${password}'${row.unsafe ? ' NOSUPERUSER NOBYPASSRLS' : ''}`,
      );
    }
    await client.query(`COMMENT ON ROLE ${role} IS '${mark}'`);
  }
}
