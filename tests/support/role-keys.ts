import { createHash, randomUUID } from 'node:crypto';
import type pg from 'pg';

/** Makes somebody with this role in an organisation, in the shape that sign-in keeps; gives an API key of theirs. */
export async function keyOfRole(auth: pg.Client, organizationId: string, role: string): Promise<string> {
  const userId = randomUUID();
  const key = `oc_${randomUUID()}${randomUUID()}`;
  const hash = createHash('sha256').update(key).digest('base64url');
  await auth.query('INSERT INTO app_user (id, name, email) VALUES ($1, $2, $3)', [
    userId,
    role,
    `${userId}@example.com`,
  ]);
  await auth.query(
    'INSERT INTO member (id, organization_id, user_id, role) VALUES (gen_random_uuid(), $1, $2, $3)',
    [organizationId, userId, role],
  );
  await auth.query(
    `INSERT INTO api_key (id, name, start, key, reference_id, metadata) VALUES ($1, $2, 'oc_', $3, $4, $5)`,
    [randomUUID(), role, hash, userId, JSON.stringify({ organizationId })],
  );
  return key;
}

/** Makes an organisation with nobody in it. */
export async function newOrganization(auth: pg.Client, name: string): Promise<string> {
  const id = randomUUID();
  await auth.query('INSERT INTO organization (id, name, slug) VALUES ($1, $2, $2)', [id, name]);
  return id;
}
