import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import {
  LEVEL_GRANTS,
  may,
  type ObjectKind,
  requirePermission,
  SHARE_PERMISSIONS,
} from '@/lib/protocol/permissions';
import {
  type SharingBody,
  type SharingView,
  type Subject,
  subjectParts,
  subjectText,
} from '@/lib/protocol/sharing';
import type { AuditLog } from '@/server/ports/audit-log';
import type { Named, Share, Sharing, SharingStore, SubjectDirectory } from '@/server/ports/sharing-store';
import type { ObjectRef } from '@/server/services/object-access';

export interface SharingServiceDeps {
  store: SharingStore;
  directory: SubjectDirectory;
  audit: AuditLog;
  /** Tells all that decide by it that the organisation's sharing has changed. */
  changed: (organizationId: string) => void;
  /** Finds the object for the actor, or throws what its kind throws when it is not there. */
  find: Readonly<Record<ObjectKind, (actor: Actor, id: string) => Promise<unknown>>>;
}

/**
 * Use cases around who reaches one object. Another kind of object is a row of `find`, of the table of levels and of the paths at
 * the gate. The actor is the one that the gate let through: with what it may do with this very object.
 */
export class SharingService {
  constructor(private readonly deps: SharingServiceDeps) {}

  /** Throws what a missing object throws. */
  async get(actor: Actor, ref: ObjectRef): Promise<SharingView> {
    requirePermission(actor, LEVEL_GRANTS[ref.kind].read[0] ?? SHARE_PERMISSIONS[ref.kind].share);
    return this.shown(actor, await this.find(actor, ref));
  }

  /**
   * Replaces who reaches the object. Nobody hands out more than they have on it.
   * Throws what a missing object throws, VERSION_CONFLICT, FORBIDDEN, INVALID_INPUT for somebody who is not there.
   */
  async replace(actor: Actor, ref: ObjectRef, body: SharingBody, seen: number): Promise<SharingView> {
    const { store, audit, changed } = this.deps;
    requirePermission(actor, SHARE_PERMISSIONS[ref.kind].share);
    const now = await this.find(actor, ref);
    const shares = await this.resolve(actor, body);
    this.refuseMore(actor, now, shares);
    const facts = {
      kind: ref.kind,
      object: ref.id,
      restricted: body.restricted,
      creator: now.creator,
      shares,
    };
    const made = now.version === seen ? await store.put(actor.organizationId, facts, seen, actor.id) : null;
    if (made === null) {
      throw new AppError(
        'VERSION_CONFLICT',
        `Who reaches it has changed: its newest version is ${now.version}.`,
        {
          path: '/headers/if-match',
        },
      );
    }
    changed(actor.organizationId);
    const told = Object.fromEntries(shares.map(({ subject, level }) => [subjectText(subject), level]));
    await audit.record(actor, `${ref.kind}.share`, ref.id, { restricted: body.restricted, shares: told });
    return this.shown(actor, made);
  }

  /** Forgets an object that is gone. */
  async forget(organizationId: string, ref: ObjectRef): Promise<void> {
    await this.deps.store.remove(organizationId, ref.kind, ref.id);
    this.deps.changed(organizationId);
  }

  private async find(actor: Actor, { kind, id }: ObjectRef): Promise<Sharing> {
    const { store, find } = this.deps;
    await find[kind](actor, id);
    const [said, creator = null] = await Promise.all([
      store.get(actor.organizationId, kind, id),
      store.creatorOf(actor.organizationId, kind, id),
    ]);
    return { kind, object: id, restricted: false, shares: [], version: 0, ...said, creator };
  }

  private refuseMore(actor: Actor, { kind, shares: before }: Sharing, shares: readonly Share[]): void {
    const had = new Map(before.map(({ subject, level }) => [subjectText(subject), level]));
    for (const [i, { subject, level }] of shares.entries()) {
      if (had.get(subjectText(subject)) === level) continue;
      const lacking = LEVEL_GRANTS[kind][level].find((one) => !may(actor, one));
      if (lacking === undefined) continue;
      throw new AppError(
        'FORBIDDEN',
        `${level} holds ${lacking}, which ${actor.displayName} does not have there.`,
        {
          path: `/shares/${i}/level`,
        },
      );
    }
  }

  private async resolve(actor: Actor, { shares }: SharingBody): Promise<Share[]> {
    const { users, teams } = await this.people(
      actor,
      shares.map((share) => subjectParts(share.subject)),
    );
    const found = new Map<string, Share>();
    for (const [i, share] of shares.entries()) {
      const path = `/shares/${i}/subject`;
      const { kind, id } = subjectParts(share.subject);
      const known =
        kind === 'everyone' ? [{ id: '', name: '' }] : matching(kind === 'user' ? users : teams, id);
      const [only] = known;
      if (only === undefined || known.length > 1) {
        const what = kind === 'user' ? 'member' : 'team';
        const how = only === undefined ? `There is no ${what}` : `There is more than one ${what}`;
        throw new AppError('INVALID_INPUT', `${how} "${id.slice(0, 200)}" in the organisation.`, { path });
      }
      const subject: Subject = { kind, id: only.id };
      if (found.has(subjectText(subject))) {
        throw new AppError('INVALID_INPUT', `It is shared with ${share.subject} twice.`, { path });
      }
      found.set(subjectText(subject), { subject, level: share.level });
    }
    return [...found.values()];
  }

  private async people({ organizationId }: Actor, subjects: readonly Subject[]) {
    const { directory } = this.deps;
    const needs = (kind: Subject['kind']) => subjects.some((subject) => subject.kind === kind);
    const [users, teams] = await Promise.all([
      needs('user') ? directory.users(organizationId) : [],
      needs('team') ? directory.teams(organizationId) : [],
    ]);
    return { users, teams };
  }

  private async shown(
    actor: Actor,
    { kind, object, restricted, creator, shares, version }: Sharing,
  ): Promise<SharingView> {
    const { users, teams } = await this.people(
      actor,
      shares.map(({ subject }) => subject),
    );
    const named = shares.map(({ subject, level }) => {
      const someone = [...users, ...teams].find(({ id }) => id === subject.id);
      const name = subject.kind === 'everyone' ? 'everyone' : (someone?.email ?? someone?.name ?? subject.id);
      return { subject: subjectText(subject), name, level };
    });
    return { kind, object, restricted, creator, shares: named, version };
  }
}

/** By id, else by e-mail address, else by name. */
function matching(all: readonly Named[], wanted: string): Named[] {
  const text = wanted.toLowerCase();
  const byId = all.filter(({ id }) => id.toLowerCase() === text);
  if (byId.length > 0) return byId;
  const byEmail = all.filter(({ email }) => email?.toLowerCase() === text);
  return byEmail.length > 0 ? byEmail : all.filter(({ name }) => name.toLowerCase() === text);
}
