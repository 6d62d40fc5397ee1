import { type Actor, hasRole } from '@/lib/protocol/actor';
import {
  LEVEL_GRANTS,
  type ObjectKind,
  type Permission,
  permissionsOf,
  SHARE_LEVELS,
  SHARE_PERMISSIONS,
  type ShareLevel,
} from '@/lib/protocol/permissions';
import type { Sharing } from '@/server/ports/sharing-store';

/** One object of an organisation. */
export interface ObjectRef {
  kind: ObjectKind;
  id: string;
}

/**
 * What one actor may do with each object, from its role, the restrictions and the shares of the organisation: on a restricted
 * object a role counts for nothing, unless it is an administrator's or the object is the actor's own; a share adds what its
 * level grants. A key or token never gets more than its scopes.
 */
export class ObjectAccess {
  private readonly base: ReadonlySet<string>;
  private readonly isAdministrator: boolean;

  /**
   * @param objects every object of the organisation that is restricted or shared, by `refKey`
   * @param teams ids of the teams that the actor belongs to
   */
  constructor(
    readonly actor: Actor,
    private readonly objects: ReadonlyMap<string, Sharing>,
    private readonly teams: ReadonlySet<string>,
  ) {
    this.base = new Set(actor.permissions ?? permissionsOf(actor.role));
    this.isAdministrator = hasRole(actor.standing ?? actor.role, 'admin');
  }

  /** The strongest level that the object is shared at with the actor. */
  level(ref: ObjectRef): ShareLevel | null {
    const levels = (this.objects.get(refKey(ref))?.shares ?? []).flatMap(({ subject, level }) =>
      subject.kind === 'everyone' ||
      (subject.kind === 'user' && subject.id === this.actor.id) ||
      (subject.kind === 'team' && this.teams.has(subject.id))
        ? [level]
        : [],
    );
    return SHARE_LEVELS.findLast((level) => levels.includes(level)) ?? null;
  }

  /** Everything that the actor may, on this object. */
  permissions(ref: ObjectRef, creator = this.objects.get(refKey(ref))?.creator): ReadonlySet<string> {
    const { kind } = ref;
    const all = new Set(this.base);
    const isOwn = creator != null && creator === this.actor.id;
    if (this.objects.get(refKey(ref))?.restricted && !isOwn && !this.isAdministrator) {
      for (const one of LEVEL_GRANTS[kind].admin) all.delete(one);
    }
    const level = this.level(ref);
    const granted: Permission[] = level === null ? [] : [...LEVEL_GRANTS[kind][level]];
    const { share, write } = SHARE_PERMISSIONS[kind];
    if (isOwn && all.has(write)) granted.push(share);
    const { scopes } = this.actor;
    for (const one of granted) if (scopes === undefined || scopes.includes(one)) all.add(one);
    return all;
  }

  may(permission: Permission, ref: ObjectRef): boolean {
    return this.permissions(ref).has(permission);
  }

  /** True when the object does not exist for the actor. */
  isHidden(ref: ObjectRef): boolean {
    const sharing = this.objects.get(refKey(ref));
    return (
      sharing?.restricted === true &&
      !this.isAdministrator &&
      sharing.creator !== this.actor.id &&
      this.level(ref) === null
    );
  }

  /** Ids of the objects of a kind that do not exist for the actor. */
  hidden(kind: ObjectKind): string[] {
    return this.ids(kind, (ref) => this.isHidden(ref));
  }

  /** Ids of the objects of a kind on which the actor lacks a permission that the role has. */
  without(permission: Permission, kind: ObjectKind): string[] {
    return this.base.has(permission) ? this.ids(kind, (ref) => !this.may(permission, ref)) : [];
  }

  /** Ids of the objects of a kind that are shared with the actor. */
  shared(kind: ObjectKind): string[] {
    return this.ids(kind, (ref) => this.level(ref) !== null);
  }

  /** The actor as it is for one object. `creator` when it is known from elsewhere. */
  on(ref: ObjectRef, creator?: string): Actor {
    const permissions = [...this.permissions(ref, creator)];
    const isSame = permissions.length === this.base.size && permissions.every((one) => this.base.has(one));
    return isSame ? this.actor : { ...this.actor, permissions };
  }

  private ids(kind: ObjectKind, fits: (ref: ObjectRef) => boolean): string[] {
    return [...this.objects.values()].flatMap((sharing) =>
      sharing.kind === kind && fits({ kind, id: sharing.object }) ? [sharing.object] : [],
    );
  }
}

/** Key of an object in a map. */
export function refKey({ kind, id }: ObjectRef): string {
  return `${kind}\n${id}`;
}
