import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { uuidv7 } from '@/lib/shared/ids';

/** How many of what the bench makes. */
export interface Population {
  organizations: number;
  usersPerOrganization: number;
  runsPerOrganization: number;
}

/** One user, and what they come in with. */
export interface BenchUser {
  organization: number;
  cookie: string;
  key: string;
}

const ROLES = ['owner', 'admin', 'operator', 'viewer'];
const DAY_MS = 86_400_000;

/**
 * Organisations, users, members, sessions, API keys and runs in bulk, in the very rows that sign-in and the engine write.
 *
 * @param adminUrl an administrator of the database
 * @param secret what the instance is sealed under: cookies are signed with a key made from it
 */
export async function seedIdentity(
  adminUrl: string,
  secret: string,
  population: Population,
): Promise<BenchUser[]> {
  const client = new pg.Client(adminUrl);
  await client.connect();
  try {
    const organizations = Array.from({ length: population.organizations }, () => randomUUID());
    await client.query(
      `INSERT INTO organization (id, name, slug) SELECT id, 'Organisation ' || n, 'organisation-' || n
       FROM unnest($1::uuid[]) WITH ORDINALITY AS o (id, n)`,
      [organizations],
    );
    const signing = createHmac('sha256', secret).update('sessions').digest('hex');
    const users: (BenchUser & { id: string; token: string })[] = organizations.flatMap((_, organization) =>
      Array.from({ length: population.usersPerOrganization }, () => {
        const id = randomUUID();
        const token = randomUUID().replaceAll('-', '');
        const signature = createHmac('sha256', signing).update(token).digest('base64');
        const cookie = `openconductor.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
        return { id, organization, token, cookie, key: `oc_${randomUUID()}${randomUUID()}` };
      }),
    );
    const ids = users.map(({ id }) => id);
    const homes = users.map(({ organization }) => organizations[organization]);
    await client.query(
      `INSERT INTO app_user (id, name, email) SELECT id, 'User ' || n, 'user-' || n || '@bench.example'
       FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, n)`,
      [ids],
    );
    await client.query(
      `INSERT INTO member (id, organization_id, user_id, role) SELECT gen_random_uuid(), o, u, r
       FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS m (o, u, r)`,
      [
        homes,
        ids,
        users.map((_, i) => ROLES[Math.min(i % population.usersPerOrganization, ROLES.length - 1)]),
      ],
    );
    await client.query(
      `INSERT INTO auth_session (id, user_id, token, expires_at, active_organization_id)
       SELECT gen_random_uuid()::text, u, t, now() + interval '7 days', o FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS s (u, t, o)`,
      [ids, users.map(({ token }) => token), homes],
    );
    await client.query(
      `INSERT INTO api_key (id, name, start, prefix, key, reference_id, metadata)
       SELECT gen_random_uuid()::text, 'bench', 'oc_bench', 'oc_', k, u, json_build_object('organizationId', o)::text
       FROM unnest($1::text[], $2::text[], $3::text[]) AS a (k, u, o)`,
      [users.map(({ key }) => createHash('sha256').update(key).digest('base64url')), ids, homes],
    );
    await seedRuns(client, organizations, population.runsPerOrganization);
    await client.query('VACUUM (ANALYZE)');
    return users.map(({ organization, cookie, key }) => ({ organization, cookie, key }));
  } finally {
    await client.end();
  }
}

/** Finished runs of the last weeks: the most of one organisation lie between those of all others, as they do in time. */
async function seedRuns(client: pg.Client, organizations: readonly string[], each: number): Promise<void> {
  const begun = Date.now() - 20 * DAY_MS;
  for (let round = 0; round < each; round++) {
    const at = begun + (round * 20 * DAY_MS) / each;
    const runIds = organizations.map((_, i) => uuidv7(Math.floor(at + i), randomBytes(10)));
    await client.query(
      `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard, status,
         created_at, closed_at, history_length, started_by, wake_at)
       SELECT r, o, 'w-' || r, 'report', 1, 'bench', 0, CASE WHEN $3::int % 10 = 0 THEN 'failed' ELSE 'completed' END,
         to_timestamp($4::float8 / 1000), to_timestamp($4::float8 / 1000) + interval '3 seconds', 12, 'bench', 'infinity'
       FROM unnest($1::uuid[], $2::uuid[]) AS x (r, o)`,
      [runIds, organizations, round, at],
    );
  }
}
