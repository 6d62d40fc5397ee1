import type { Actor } from '@/lib/protocol/actor';
import type { ErasureBody, ErasureReport } from '@/lib/protocol/api-erasure';
import { AppError, isAppError } from '@/lib/protocol/errors';
import { may, requirePermission } from '@/lib/protocol/permissions';
import type { AuditLog } from '@/server/ports/audit-log';
import type { ErasureScope, ErasureStore, Person } from '@/server/ports/erasure-store';
import type { IdentityStore } from '@/server/ports/identity-store';
import type { MemberService } from '@/server/services/member-service';

/** Runs that one statement deletes: short enough that nobody waits long behind it. */
const BATCH = 200;

export interface ErasureServiceDeps {
  store: ErasureStore;
  identities: Pick<IdentityStore, 'otherOwners'>;
  members: Pick<MemberService, 'mayRemove'>;
  audit: AuditLog;
  /** Stands for an address in the audit log: the same for the same address, of no use without the key of the instance. */
  digest: (email: string) => string;
}

/**
 * Erasure of a person's data on request. What others need keeps the person's id, which then stands for nobody: runs, decisions,
 * versions of workflows, the audit log.
 */
export class ErasureService {
  constructor(private readonly deps: ErasureServiceDeps) {}

  /**
   * Erases somebody, or says what that would remove. Of oneself in one's own right; of others with `users:manage`, never of who
   * stands above oneself. The account goes too unless the person belongs to other organisations, which only they themselves
   * leave all at once. Throws MEMBER_NOT_FOUND, LAST_OWNER, FORBIDDEN.
   */
  async erase(actor: Actor, body: ErasureBody): Promise<ErasureReport> {
    const { store, audit, digest } = this.deps;
    const { dryRun, withRuns } = body;
    const own = await store.emailOf(actor.id);
    const email = (body.person === 'me' ? (own ?? '') : body.person).trim().toLowerCase();
    const isOwn = own !== null && email === own;
    if (isOwn) mustBeWhole(actor);
    else requirePermission(actor, 'users:manage');
    if (withRuns) requirePermission(actor, 'users:manage');
    const person = await store.find(email);
    if (person === null) throw nobody();
    const scope = this.scopeOf(actor, person, isOwn);
    const obstacle = await this.obstacle(actor, person, scope, isOwn);
    if (obstacle !== null && !dryRun) throw obstacle;
    const places = placesOf(person, scope);
    if (!dryRun) {
      const facts = { person: digest(email), account: scope.account, withRuns };
      for (const organizationId of places)
        await audit.record({ ...actor, organizationId }, 'user.erase', person.userId ?? 'invited', facts);
    }
    const runs = await this.runs(person, scope, withRuns, dryRun);
    const removed = await store.erase(person, scope, dryRun);
    const kept = [...runs.kept];
    let entries = 0;
    for (const organizationId of places) entries += await store.auditEntries(organizationId, email);
    if (entries > 0) {
      const why =
        'Sealed by an earlier version with the address in them; newer entries hold ids and digests only.';
      kept.push({ what: 'entries of the audit log', count: entries, why });
    }
    if (!scope.account && person.userId !== null) {
      const others = person.organizations.filter(({ id }) => id !== scope.organizationId).length;
      kept.push({ what: 'accounts', count: 1, why: `Belongs to ${others} other organisations, too.` });
    }
    return {
      dryRun,
      userId: person.userId,
      allowed: obstacle === null,
      obstacle: obstacle?.message ?? null,
      removed: [...removed, ...runs.removed].filter(({ count }) => count > 0),
      kept,
    };
  }

  private scopeOf(actor: Actor, person: Person, isOwn: boolean): ErasureScope {
    const { organizationId } = actor;
    const isHere = person.organizations.some(({ id }) => id === organizationId);
    const isElsewhere = person.organizations.some(({ id }) => id !== organizationId);
    const account = person.userId !== null && (isOwn || !isElsewhere);
    if (isOwn || isHere || person.invitedTo.includes(organizationId)) return { organizationId, account };
    // Who belongs to no organisation any more is an owner's to erase; who belongs to others is none of our business.
    if (isElsewhere || !may(actor, 'organization:manage')) throw nobody();
    return { organizationId, account };
  }

  /** Why it may not be; null when it may. */
  private async obstacle(
    actor: Actor,
    person: Person,
    scope: ErasureScope,
    isOwn: boolean,
  ): Promise<AppError | null> {
    const { members, identities } = this.deps;
    const { userId } = person;
    if (userId === null) return null;
    const left = person.organizations.filter(({ id }) => scope.account || id === scope.organizationId);
    for (const { id, role } of left) {
      if (role === 'owner' && (await identities.otherOwners(id, userId)) === 0)
        return new AppError('LAST_OWNER', `${person.name} is the last owner.`);
    }
    if (isOwn || left.length === 0) return null;
    try {
      await members.mayRemove(actor, userId);
      return null;
    } catch (error) {
      if (isAppError(error)) return error;
      throw error;
    }
  }

  private async runs(person: Person, scope: ErasureScope, withRuns: boolean, dryRun: boolean) {
    const { store } = this.deps;
    const { userId } = person;
    const found = { removed: [] as ErasureReport['removed'], kept: [] as ErasureReport['kept'] };
    if (userId === null) return found;
    let [open, closed, gone] = [0, 0, 0];
    // Runs of other organisations are theirs: they only lose the name behind the id.
    const organizationId = scope.organizationId;
    const counts = await store.runs(organizationId, userId);
    open += counts.open;
    closed += counts.closed;
    if (withRuns && !dryRun)
      for (let some = -1; some !== 0; gone += some)
        some = Math.max(0, await store.eraseRuns(organizationId, userId, BATCH));
    if (withRuns) found.removed.push({ what: 'closed runs', count: dryRun ? closed : gone });
    else if (closed > 0)
      found.kept.push({
        what: 'closed runs',
        count: closed,
        why: 'They keep the id, which stands for nobody then.',
      });
    if (open > 0)
      found.kept.push({
        what: 'open runs',
        count: open,
        why: 'Histories of open runs only ever grow; end them first.',
      });
    return found;
  }
}

/** A limited key or token must not be able to end the account behind it. */
function mustBeWhole(actor: Actor): void {
  if (actor.kind === 'user' || actor.permissions === undefined) return;
  throw new AppError('FORBIDDEN', 'Sign in yourself for this: a limited key does not erase whose it is.');
}

function nobody(): AppError {
  return new AppError('MEMBER_NOT_FOUND', 'Nobody with this address is a member or invited.', {
    path: '/person',
  });
}

/** Organisations whose audit logs tell of it. */
function placesOf(person: Person, scope: ErasureScope): string[] {
  const others = scope.account ? person.organizations.map(({ id }) => id) : [];
  return [...new Set([scope.organizationId, ...others])];
}
