import type { Actor } from '@/lib/protocol/actor';
import { AppError, type ErrorCode } from '@/lib/protocol/errors';
import { type Permission, requirePermission, SHARE_PERMISSIONS } from '@/lib/protocol/permissions';
import type { Clock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';
import type { Sharing, SharingStore } from '@/server/ports/sharing-store';
import { ObjectAccess, type ObjectRef, refKey } from '@/server/services/object-access';

/** Channel of the bus on which it is told that an organisation's sharing has changed. */
export const ACCESS_CHANNEL = 'access';

/** A change made by a process that is not on this bus is followed within this time, in milliseconds. */
const FRESH_MS = 2_000;
/** Runs whose workflow is remembered; it never changes. */
const MAX_RUNS = 20_000;

export interface AccessServiceDeps {
  store: Pick<SharingStore, 'all' | 'creatorOf' | 'workflowOf'>;
  /** Teams of a user. */
  teamsOf: (organizationId: string, userId: string) => Promise<string[]>;
  /** The user as they are now; null when they are no member any more. */
  member: (organizationId: string, userId: string) => Promise<Actor | null>;
  bus: Bus;
  clock: Clock;
}

/** An object, or a run, which is reached as its workflow is. */
export type Target = ObjectRef | { kind: 'run'; id: string };

interface Known {
  at: number;
  objects: Promise<ReadonlyMap<string, Sharing>>;
}

const MISSING: Readonly<Record<Target['kind'], { code: ErrorCode; path: string }>> = {
  workflow: { code: 'WORKFLOW_NOT_FOUND', path: '/workflow' },
  view: { code: 'VIEW_NOT_FOUND', path: '/viewId' },
  run: { code: 'RUN_NOT_FOUND', path: '/runId' },
};

/**
 * Who reaches which object. Organisations in which nothing is restricted or shared pay one small read every two seconds of use,
 * and nothing for a request.
 */
export class AccessService {
  private readonly known = new Map<string, Known>();
  private readonly workflows = new Map<string, string>();

  constructor(private readonly deps: AccessServiceDeps) {
    deps.bus.subscribe(ACCESS_CHANNEL, (organizationId) => {
      this.known.delete(organizationId as string);
    });
  }

  /** What the actor may with each object; null when roles alone decide. What the system does is checked when it is set up. */
  async of(actor: Actor): Promise<ObjectAccess | null> {
    if (actor.kind === 'system') return null;
    const objects = await this.objects(actor.organizationId);
    return objects.size === 0 ? null : this.accessOf(actor, objects);
  }

  /**
   * The actor as it is for what one request is about. Throws what a missing object throws when the actor does not reach it, and
   * FORBIDDEN when the permission is lacking.
   */
  async acting(
    actor: Actor,
    access: ObjectAccess | null,
    target: Target,
    permission: Permission,
  ): Promise<Actor> {
    const ref = target.kind === 'run' ? await this.workflowRef(actor.organizationId, target.id) : target;
    // Somebody else's right to share is theirs by role or share; one's own needs to be looked up.
    const isSharing = Object.values(SHARE_PERMISSIONS).some(({ share }) => share === permission);
    if (ref === null || (access === null && !isSharing)) {
      requirePermission(actor, permission);
      return actor;
    }
    const known = access ?? byRoleAlone(actor);
    if (known.isHidden(ref)) {
      requirePermission(actor, permission);
      throw missing(target);
    }
    const creator = isSharing
      ? await this.deps.store.creatorOf(actor.organizationId, ref.kind, ref.id)
      : undefined;
    const acting = known.on(ref, creator);
    requirePermission(acting, permission);
    return acting;
  }

  /** Throws what a missing object throws, or FORBIDDEN, when a restriction keeps the actor from it. Roles are not looked at. */
  async refuseRestricted(actor: Actor, permission: Permission, ref: ObjectRef): Promise<void> {
    const access = await this.of(actor);
    if (access === null) return;
    if (access.isHidden(ref)) throw missing(ref);
    if (access.without(permission, ref.kind).includes(ref.id)) requirePermission(access.on(ref), permission);
  }

  /**
   * Throws FORBIDDEN when something that acts with the rights of whoever made it would be changed by somebody whom a restriction
   * keeps from something: it could be made to do what they may not.
   */
  async refuseTakingOver(actor: Actor, maker: string): Promise<void> {
    if (maker === actor.id) return;
    const access = await this.of(actor);
    const lacks = (permission: Permission) => (access?.without(permission, 'workflow').length ?? 0) > 0;
    if (!(['executions:read', 'executions:control', 'workflows:execute'] as const).some(lacks)) return;
    throw new AppError(
      'FORBIDDEN',
      'Somebody made it who reaches restricted workflows: they or an administrator change it.',
    );
  }

  /** True when the actor may do this with the object. */
  async may(actor: Actor, permission: Permission, ref: ObjectRef): Promise<boolean> {
    return ((await this.of(actor)) ?? byRoleAlone(actor)).may(permission, ref);
  }

  /** Throws RUN_NOT_FOUND when the run belongs to a workflow that the actor does not reach. */
  async refuseHiddenRun(actor: Actor, runId: string): Promise<void> {
    const access = await this.of(actor);
    if (access === null || access.hidden('workflow').length === 0) return;
    const ref = await this.workflowRef(actor.organizationId, runId);
    if (ref !== null && access.isHidden(ref)) throw missing({ kind: 'run', id: runId });
  }

  /** Names of the workflows that the actor does not see. */
  async hiddenWorkflows(actor: Actor): Promise<string[]> {
    return (await this.of(actor))?.hidden('workflow') ?? [];
  }

  /** True when anything of the organisation is restricted or shared. */
  async isUsed(organizationId: string): Promise<boolean> {
    return (await this.objects(organizationId)).size > 0;
  }

  /** The workflow of a run, hidden or not; null when there is no such run. */
  async workflowOf(organizationId: string, runId: string): Promise<string | null> {
    const key = `${organizationId}/${runId}`;
    const remembered = this.workflows.get(key);
    if (remembered !== undefined) return remembered;
    const found = await this.deps.store.workflowOf(organizationId, runId);
    if (found === null) return null;
    if (this.workflows.size >= MAX_RUNS) this.workflows.delete(this.workflows.keys().next().value as string);
    this.workflows.set(key, found);
    return found;
  }

  /**
   * Workflows on which somebody who set something up (a schedule, a webhook) lacks a permission now: what restrictions keep from
   * them; every restricted one when they have left.
   */
  async lostBy(organizationId: string, userId: string, permission: Permission): Promise<string[]> {
    const objects = await this.objects(organizationId);
    const restricted = [...objects.values()].filter(
      ({ kind, restricted }) => kind === 'workflow' && restricted,
    );
    if (restricted.length === 0) return [];
    const member = await this.deps.member(organizationId, userId);
    const names = restricted.map(({ object }) => object);
    if (member === null) return names;
    const access = await this.accessOf(member, objects);
    return names.filter((id) => !access.may(permission, { kind: 'workflow', id }));
  }

  /** Tells every process in reach that the sharing of an organisation has changed. */
  changed(organizationId: string): void {
    this.known.delete(organizationId);
    this.deps.bus.publish(ACCESS_CHANNEL, organizationId);
  }

  private async accessOf(actor: Actor, objects: ReadonlyMap<string, Sharing>): Promise<ObjectAccess> {
    const hasTeams = [...objects.values()].some(({ shares }) =>
      shares.some(({ subject }) => subject.kind === 'team'),
    );
    const mine = hasTeams ? await this.deps.teamsOf(actor.organizationId, actor.id) : [];
    return new ObjectAccess(actor, objects, new Set(mine));
  }

  private async workflowRef(organizationId: string, runId: string): Promise<ObjectRef | null> {
    const id = await this.workflowOf(organizationId, runId);
    return id === null ? null : { kind: 'workflow', id };
  }

  private objects(organizationId: string): Promise<ReadonlyMap<string, Sharing>> {
    const now = this.deps.clock.now();
    const known = this.known.get(organizationId);
    if (known !== undefined && now - known.at < FRESH_MS) return known.objects;
    const objects = this.deps.store
      .all(organizationId)
      .then((rows) => new Map(rows.map((row) => [refKey({ kind: row.kind, id: row.object }), row])));
    const fresh = { at: now, objects };
    this.known.set(organizationId, fresh);
    objects.catch(() => {
      if (this.known.get(organizationId) === fresh) this.known.delete(organizationId);
    });
    return objects;
  }
}

function byRoleAlone(actor: Actor): ObjectAccess {
  return new ObjectAccess(actor, new Map(), new Set());
}

/** What is thrown for an object that is not there; word for word what services throw for it. */
function missing({ kind, id }: Target): AppError {
  const { code, path } = MISSING[kind];
  const what = {
    workflow: `workflow "${id.slice(0, 200)}"`,
    view: `saved view ${id.slice(0, 200)}`,
    run: `run ${id.slice(0, 100)}`,
  };
  return new AppError(code, `There is no ${what[kind]}.`, kind === 'view' ? {} : { path });
}
