import { type Actor, ROLES } from '@/lib/protocol/actor';
import type { InvitationBody, Me, MemberBody, RoleBody } from '@/lib/protocol/api-identity';
import { AppError } from '@/lib/protocol/errors';
import {
  ALL_PERMISSIONS,
  may,
  PERMISSIONS,
  type Permission,
  permissionsOf,
  requirePermission,
  withImplied,
} from '@/lib/protocol/permissions';
import type { AuditLog } from '@/server/ports/audit-log';
import type { IdentityStore, Invitation } from '@/server/ports/identity-store';

const DAY_MS = 86_400_000;

export interface MemberServiceDeps {
  store: IdentityStore;
  audit: AuditLog;
  auth: 'local' | 'required';
  now: () => number;
  newId: () => string;
  /** Stands for an address in the audit log. */
  digest: (email: string) => string;
  /** Where browsers reach this instance. */
  publicUrl: () => string;
}

/** Use cases around the organisation: its members, invitations and roles. Nobody hands out more than they have. */
export class MemberService {
  constructor(private readonly deps: MemberServiceDeps) {}

  async me(actor: Actor): Promise<Me> {
    const { store, auth } = this.deps;
    const organization = await this.organization(actor);
    const organizations = await store.organizationsOf(actor.id);
    const here = organizations.find((one) => one.id === organization.id);
    return {
      id: actor.id,
      name: actor.displayName,
      kind: actor.kind,
      auth,
      organization,
      role: here?.role ?? actor.role,
      permissions: ALL_PERMISSIONS.filter((one) => may(actor, one)),
      organizations: organizations.length > 0 ? organizations : [{ ...organization, role: actor.role }],
    };
  }

  async organization(actor: Actor) {
    const found = await this.deps.store.organization(actor.organizationId);
    if (!found) throw new AppError('NOT_FOUND', 'The organisation is gone.');
    return found;
  }

  async rename(actor: Actor, name: string) {
    requirePermission(actor, 'organization:manage');
    const before = await this.organization(actor);
    await this.deps.audit.record(actor, 'organization.rename', before.id, { from: before.name, to: name });
    await this.deps.store.renameOrganization(actor.organizationId, name);
    return this.organization(actor);
  }

  async members(actor: Actor): Promise<MemberBody[]> {
    requirePermission(actor, 'users:read');
    const rows = await this.deps.store.members(actor.organizationId);
    return rows.map((row) => ({
      ...row,
      joinedAt: row.joinedAt.toISOString(),
      lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
    }));
  }

  /** Throws MEMBER_NOT_FOUND, ROLE_NOT_FOUND, FORBIDDEN (a role above one's own), LAST_OWNER. */
  async setRole(actor: Actor, userId: string, role: string): Promise<MemberBody> {
    requirePermission(actor, 'users:manage');
    const member = await this.member(actor, userId);
    await this.mayGive(actor, role);
    await this.mayTouch(actor, member, role);
    await this.deps.audit.record(actor, 'member.role', userId, { from: member.role, to: role });
    await this.deps.store.setRole(actor.organizationId, userId, role);
    return this.member(actor, userId);
  }

  /** Throws MEMBER_NOT_FOUND, FORBIDDEN, LAST_OWNER. Their keys and sessions here end with it. */
  async remove(actor: Actor, userId: string): Promise<void> {
    requirePermission(actor, 'users:manage');
    const member = await this.member(actor, userId);
    await this.mayTouch(actor, member, null);
    await this.deps.audit.record(actor, 'member.remove', userId, { role: member.role });
    await this.deps.store.removeMember(actor.organizationId, userId);
  }

  /** Throws what `remove` would. */
  async mayRemove(actor: Actor, userId: string): Promise<void> {
    requirePermission(actor, 'users:manage');
    await this.mayTouch(actor, await this.member(actor, userId), null);
  }

  async invite(actor: Actor, body: { email: string; role: string; days: number }): Promise<InvitationBody> {
    requirePermission(actor, 'users:manage');
    await this.mayGive(actor, body.role);
    const { store, audit, newId, now, digest } = this.deps;
    const id = newId();
    const email = body.email.trim().toLowerCase();
    const expiresAt = new Date(now() + body.days * DAY_MS);
    const { organizationId } = actor;
    // Sealed entries are never changed: they hold nothing that names a person who may ask to be forgotten.
    await audit.record(actor, 'member.invite', id, { role: body.role, person: digest(email) });
    await store.invite({ id, organizationId, email, role: body.role, expiresAt, invitedBy: actor.id });
    const made = await store.invitation(id);
    if (!made) throw new AppError('INVITATION_NOT_FOUND', 'The invitation is gone.');
    return this.shown(made);
  }

  async invitations(actor: Actor): Promise<InvitationBody[]> {
    requirePermission(actor, 'users:manage');
    return (await this.deps.store.invitations(actor.organizationId)).map((row) => this.shown(row));
  }

  /** Throws INVITATION_NOT_FOUND. */
  async withdraw(actor: Actor, id: string): Promise<void> {
    requirePermission(actor, 'users:manage');
    if (!(await this.deps.store.settleInvitation(id, 'canceled', actor.organizationId)))
      throw new AppError('INVITATION_NOT_FOUND', 'There is no open invitation with this id.');
    await this.deps.audit.record(actor, 'member.uninvite', id, {});
  }

  async roles(
    actor: Actor,
  ): Promise<{ items: RoleBody[]; permissions: { name: string; meaning: string }[] }> {
    requirePermission(actor, 'users:read');
    const builtIn = ROLES.map((name) => ({
      name,
      description: 'Built in.',
      permissions: [...permissionsOf(name)],
      builtIn: true,
    }));
    const own = (await this.deps.store.roles(actor.organizationId)).map(({ members: _, ...role }) => ({
      ...role,
      builtIn: false,
    }));
    const permissions = ALL_PERMISSIONS.map((name) => ({ name, meaning: PERMISSIONS[name] }));
    return { items: [...builtIn, ...own], permissions };
  }

  /** Makes or changes a role of the organisation's own. Throws FORBIDDEN when it has what the actor has not. */
  async putRole(
    actor: Actor,
    name: string,
    body: { description: string; permissions: Permission[] },
  ): Promise<RoleBody> {
    requirePermission(actor, 'users:manage');
    const permissions = withImplied(body.permissions);
    for (const one of permissions) requirePermission(actor, one);
    const { store, audit } = this.deps;
    await audit.record(actor, 'role.put', name, { permissions });
    await store.putRole(actor.organizationId, { name, description: body.description, permissions });
    return { name, description: body.description, permissions, builtIn: false };
  }

  /** Throws ROLE_NOT_FOUND, ROLE_IN_USE. */
  async removeRole(actor: Actor, name: string): Promise<void> {
    requirePermission(actor, 'users:manage');
    const { store, audit } = this.deps;
    const role = (await store.roles(actor.organizationId)).find((one) => one.name === name);
    if (!role) throw new AppError('ROLE_NOT_FOUND', `There is no role ${name}.`);
    if (role.members > 0) throw new AppError('ROLE_IN_USE', `${role.members} members have the role ${name}.`);
    await audit.record(actor, 'role.remove', name, {});
    await store.removeRole(actor.organizationId, name);
  }

  private shown(row: Invitation): InvitationBody {
    const { id, email, role, status } = row;
    return {
      id,
      email,
      role,
      status,
      expiresAt: row.expiresAt.toISOString(),
      createdAt: row.createdAt.toISOString(),
      url: status === 'pending' ? `${this.deps.publicUrl()}/invite/${id}` : null,
    };
  }

  private async member(actor: Actor, userId: string): Promise<MemberBody> {
    const found = (await this.members(actor)).find((one) => one.userId === userId);
    if (!found) throw new AppError('MEMBER_NOT_FOUND', 'Nobody with this id is a member.');
    return found;
  }

  private async permissionsOfRole(organizationId: string, name: string): Promise<readonly string[]> {
    if ((ROLES as readonly string[]).includes(name))
      return [...permissionsOf(name as (typeof ROLES)[number])];
    const own = (await this.deps.store.roles(organizationId)).find((one) => one.name === name);
    if (!own) throw new AppError('ROLE_NOT_FOUND', `There is no role ${name}.`, { path: '/role' });
    return own.permissions;
  }

  /** Nobody gives a role that has more than they have themselves. */
  private async mayGive(actor: Actor, role: string): Promise<void> {
    const wanted = await this.permissionsOfRole(actor.organizationId, role);
    for (const one of wanted) requirePermission(actor, one as Permission);
  }

  /** Nobody changes who stands above them, and an organisation keeps an owner who can sign in. */
  private async mayTouch(actor: Actor, member: MemberBody, next: string | null): Promise<void> {
    await this.mayGive(actor, member.role).catch((error: unknown) => {
      // A role that is gone allows nothing: whoever had it may be changed.
      if ((error as { code?: string }).code !== 'ROLE_NOT_FOUND') throw error;
    });
    if (member.role !== 'owner' || next === 'owner') return;
    if ((await this.deps.store.otherOwners(actor.organizationId, member.userId)) > 0) return;
    throw new AppError('LAST_OWNER', `${member.name} is the last owner.`);
  }
}
