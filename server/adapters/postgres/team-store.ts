import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Team, TeamStore } from '@/server/ports/team-store';

/** Only who is a member now counts, whatever a row says. */
const TEAMS = `
SELECT t.id, t.name, t.scim_group_id IS NOT NULL AS "fromDirectory",
       coalesce(json_agg(json_build_object('userId', u.id, 'name', u.name, 'email', u.email) ORDER BY u.name, u.id)
                FILTER (WHERE m.user_id IS NOT NULL), '[]') AS members
FROM team t
LEFT JOIN team_member tm ON tm.team_id = t.id
LEFT JOIN member m ON m.organization_id = t.organization_id AND m.user_id = tm.user_id
LEFT JOIN app_user u ON u.id = m.user_id
WHERE t.organization_id = $1 AND ($2::text IS NULL OR t.id = $2)
GROUP BY t.id ORDER BY lower(t.name), t.id`;

/**
 * Teams over `pg`.
 *
 * @param pool connections as oc_auth
 */
export function createTeamStore(pool: pg.Pool): TeamStore {
  const teams = async (organizationId: string, teamId: string | null): Promise<Team[]> =>
    (await pool.query<Team>(TEAMS, [organizationId, teamId])).rows;
  const changed = async (sql: string, values: unknown[]): Promise<boolean> =>
    ((await pool.query(sql, values)).rowCount ?? 0) > 0;
  return {
    teams: (organizationId) => teams(organizationId, null),
    team: async (organizationId, teamId) => (await teams(organizationId, teamId))[0] ?? null,
    create: (organizationId, teamId, name) =>
      changed(
        `INSERT INTO team (id, name, organization_id) VALUES ($1, $2, $3)
         ON CONFLICT (organization_id, lower(name)) DO NOTHING`,
        [teamId, name, organizationId],
      ),
    async rename(organizationId, teamId, name) {
      try {
        return await changed(
          'UPDATE team SET name = $3, updated_at = now() WHERE organization_id = $1 AND id = $2',
          [organizationId, teamId, name],
        );
      } catch (error) {
        if ((error as { constraint?: string }).constraint === 'team_name') return false;
        throw error;
      }
    },
    async remove(organizationId, teamId) {
      await pool.query('DELETE FROM team WHERE organization_id = $1 AND id = $2', [organizationId, teamId]);
    },
    addMember: (organizationId, teamId, userId) =>
      changed(
        `INSERT INTO team_member (id, team_id, user_id)
         SELECT $4, t.id, m.user_id FROM team t JOIN member m ON m.organization_id = t.organization_id
         WHERE t.organization_id = $1 AND t.id = $2 AND m.user_id = $3
         ON CONFLICT (team_id, user_id) DO UPDATE SET user_id = excluded.user_id`,
        [organizationId, teamId, userId, randomUUID()],
      ),
    removeMember: (organizationId, teamId, userId) =>
      changed(
        `DELETE FROM team_member tm USING team t
         WHERE t.id = tm.team_id AND t.organization_id = $1 AND t.id = $2 AND tm.user_id = $3`,
        [organizationId, teamId, userId],
      ),
  };
}
