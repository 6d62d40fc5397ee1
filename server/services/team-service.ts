import type { Actor } from '@/lib/protocol/actor';
import type { TeamBody } from '@/lib/protocol/api-teams';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { AuditLog } from '@/server/ports/audit-log';
import type { IdentityStore } from '@/server/ports/identity-store';
import type { TeamStore } from '@/server/ports/team-store';

export interface TeamServiceDeps {
  teams: TeamStore;
  store: IdentityStore;
  audit: AuditLog;
  newId: () => string;
}

/** Use cases around teams. A team gives no rights by itself; other features name it instead of many users. */
export class TeamService {
  constructor(private readonly deps: TeamServiceDeps) {}

  list(actor: Actor): Promise<TeamBody[]> {
    requirePermission(actor, 'users:read');
    return this.deps.teams.teams(actor.organizationId);
  }

  /** Throws TEAM_EXISTS. */
  async create(actor: Actor, name: string): Promise<TeamBody> {
    requirePermission(actor, 'users:manage');
    const { teams, audit, newId } = this.deps;
    const id = newId();
    if (!(await teams.create(actor.organizationId, id, name))) throw taken(name);
    await audit.record(actor, 'team.create', id, { name });
    return { id, name, fromDirectory: false, members: [] };
  }

  /** Throws TEAM_NOT_FOUND, TEAM_EXISTS, TEAM_FROM_DIRECTORY. */
  async rename(actor: Actor, teamId: string, name: string): Promise<TeamBody> {
    const before = await this.mine(actor, teamId);
    if (!(await this.deps.teams.rename(actor.organizationId, teamId, name))) throw taken(name);
    await this.deps.audit.record(actor, 'team.rename', teamId, { from: before.name, to: name });
    return this.found(actor, teamId);
  }

  /** Throws TEAM_NOT_FOUND, TEAM_FROM_DIRECTORY. */
  async remove(actor: Actor, teamId: string): Promise<void> {
    const { name } = await this.mine(actor, teamId);
    await this.deps.audit.record(actor, 'team.remove', teamId, { name });
    await this.deps.teams.remove(actor.organizationId, teamId);
  }

  /** Throws TEAM_NOT_FOUND, MEMBER_NOT_FOUND, TEAM_FROM_DIRECTORY. */
  async addMember(actor: Actor, teamId: string, userId: string): Promise<TeamBody> {
    const { name } = await this.mine(actor, teamId);
    if (!(await this.deps.teams.addMember(actor.organizationId, teamId, userId)))
      throw new AppError('MEMBER_NOT_FOUND', 'Nobody with this id is a member of the organisation.');
    await this.deps.audit.record(actor, 'team.member.add', teamId, { name, userId });
    return this.found(actor, teamId);
  }

  /** Throws TEAM_NOT_FOUND, MEMBER_NOT_FOUND, TEAM_FROM_DIRECTORY. */
  async removeMember(actor: Actor, teamId: string, userId: string): Promise<void> {
    const { name } = await this.mine(actor, teamId);
    if (!(await this.deps.teams.removeMember(actor.organizationId, teamId, userId)))
      throw new AppError('MEMBER_NOT_FOUND', `Nobody with this id is in the team ${name}.`);
    await this.deps.audit.record(actor, 'team.member.remove', teamId, { name, userId });
  }

  /** A team that may be changed here. */
  private async mine(actor: Actor, teamId: string): Promise<TeamBody> {
    requirePermission(actor, 'users:manage');
    const team = await this.found(actor, teamId);
    if (!team.fromDirectory) return team;
    throw new AppError('TEAM_FROM_DIRECTORY', `The team ${team.name} is a group of the directory.`);
  }

  private async found(actor: Actor, teamId: string): Promise<TeamBody> {
    const team = await this.deps.teams.team(actor.organizationId, teamId);
    if (team) return team;
    throw new AppError('TEAM_NOT_FOUND', 'There is no such team.');
  }
}

function taken(name: string): AppError {
  return new AppError('TEAM_EXISTS', `There is a team ${name} already.`, { path: '/name' });
}
