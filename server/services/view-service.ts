import { durationMs } from '@/lib/engine/duration';
import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission, SHARE_LEVELS, type ShareLevel } from '@/lib/protocol/permissions';
import type { SavedView, ViewBody, ViewFilters } from '@/lib/protocol/views';
import { isUuid } from '@/lib/shared/ids';
import type { AuditLog } from '@/server/ports/audit-log';
import type { StoredView, ViewStore } from '@/server/ports/view-store';
import type { AccessService } from '@/server/services/access-service';
import type { ObjectRef } from '@/server/services/object-access';

export interface ViewServiceDeps {
  views: ViewStore;
  audit: AuditLog;
  access: Pick<AccessService, 'of'>;
  /** Told that a view is gone. */
  forget: (organizationId: string, viewId: string) => Promise<void>;
  newId: () => string;
  /** Epoch milliseconds. */
  now: () => number;
}

/**
 * Use cases around saved views: a private one belongs to whoever made it, a shared one to everybody whom no restriction keeps
 * from it; either can be shared with single people and teams besides.
 */
export class ViewService {
  constructor(private readonly deps: ViewServiceDeps) {}

  /** The caller's own and those shared with the caller, by name; of two with the same name the caller's own first. */
  async list(actor: Actor, name?: string): Promise<SavedView[]> {
    requirePermission(actor, 'views:read');
    const rows = await this.visible(actor);
    return rows.filter((row) => name === undefined || row.name === name).map((row) => shown(row, actor));
  }

  /** Throws VIEW_NOT_FOUND, also for a private view of somebody else. */
  async get(actor: Actor, viewId: string): Promise<SavedView> {
    requirePermission(actor, 'views:read');
    return shown(await this.find(actor, viewId), actor);
  }

  /** The filters of a view, by its id or its name; `startedWithin` counted back from now. Throws VIEW_NOT_FOUND. */
  async filtersOf(actor: Actor, idOrName: string): Promise<Omit<ViewFilters, 'startedWithin'>> {
    requirePermission(actor, 'views:read');
    const rows = await this.visible(actor);
    const found =
      rows.find((row) => row.viewId === idOrName.toLowerCase()) ?? rows.find((row) => row.name === idOrName);
    if (found === undefined) throw notFound(idOrName);
    const { startedWithin, ...filters } = found.filters;
    if (startedWithin === undefined) return filters;
    const startedAfter = new Date(this.deps.now() - durationMs(startedWithin)).toISOString();
    return { ...filters, startedAfter };
  }

  /** Throws VIEW_EXISTS. */
  async create(actor: Actor, body: ViewBody): Promise<SavedView> {
    requirePermission(actor, 'views:write');
    const { views, audit, newId } = this.deps;
    const { organizationId, id: owner } = actor;
    const made = await views.create({ viewId: newId(), organizationId, owner, ...body });
    if (made === null) throw taken(body.name);
    await audit.record(actor, 'view.create', made.viewId, { name: body.name, shared: body.shared });
    return shown(made, actor);
  }

  /** Replaces the version that was read. Throws VIEW_NOT_FOUND, VIEW_EXISTS, VERSION_CONFLICT, FORBIDDEN. */
  async replace(actor: Actor, viewId: string, seen: number, body: ViewBody): Promise<SavedView> {
    requirePermission(actor, 'views:write');
    const { views, audit } = this.deps;
    const now = await this.mayChange(actor, viewId, 'write');
    const changed =
      now.version === seen ? await views.update(actor.organizationId, now.viewId, seen, body) : 'conflict';
    if (changed === 'taken') throw taken(body.name);
    if (changed === 'conflict') throw conflict(now);
    await audit.record(actor, 'view.update', viewId, { name: body.name, shared: body.shared });
    return shown(changed, actor);
  }

  /** Throws VIEW_NOT_FOUND, FORBIDDEN, and VERSION_CONFLICT when a version was named that is not the newest one. */
  async remove(actor: Actor, viewId: string, seen: number | null): Promise<void> {
    requirePermission(actor, 'views:write');
    const { views, audit } = this.deps;
    const now = await this.mayChange(actor, viewId, 'admin');
    if (!(await views.remove(actor.organizationId, now.viewId, seen))) throw conflict(now);
    await this.deps.forget(actor.organizationId, now.viewId);
    await audit.record(actor, 'view.remove', viewId, { name: now.name });
  }

  /** A shared view is changed by its owner, by administrators, and by whom it is shared with at this level. */
  private async mayChange(actor: Actor, viewId: string, needed: ShareLevel): Promise<StoredView> {
    const row = await this.find(actor, viewId);
    const level = (await this.deps.access.of(actor))?.level(refOf(row)) ?? null;
    const isEnough = level !== null && SHARE_LEVELS.indexOf(level) >= SHARE_LEVELS.indexOf(needed);
    if (row.owner !== actor.id && !isEnough) requirePermission(actor, 'settings:write');
    return row;
  }

  private async visible(actor: Actor): Promise<StoredView[]> {
    const access = await this.deps.access.of(actor);
    const rows = await this.deps.views.list(actor.organizationId, actor.id, access?.shared('view') ?? []);
    return access === null ? rows : rows.filter((row) => !access.isHidden(refOf(row)));
  }

  private async find(actor: Actor, viewId: string): Promise<StoredView> {
    const row = isUuid(viewId) ? await this.deps.views.get(actor.organizationId, viewId) : null;
    if (row === null) throw notFound(viewId);
    if (row.owner === actor.id) return row;
    const access = await this.deps.access.of(actor);
    const isShared = row.shared || (access !== null && access.level(refOf(row)) !== null);
    if (!isShared || access?.isHidden(refOf(row))) throw notFound(viewId);
    return row;
  }
}

function refOf({ viewId }: StoredView): ObjectRef {
  return { kind: 'view', id: viewId };
}

function shown(row: StoredView, actor: Actor): SavedView {
  const { viewId, name, shared, owner, filters, columns, sort, version } = row;
  const createdAt = new Date(row.createdAt).toISOString();
  const updatedAt = new Date(row.updatedAt).toISOString();
  const mine = owner === actor.id;
  return { viewId, name, shared, owner, mine, filters, columns, sort, version, createdAt, updatedAt };
}

function notFound(view: string): AppError {
  return new AppError('VIEW_NOT_FOUND', `There is no saved view ${view.slice(0, 200)}.`);
}

function taken(name: string): AppError {
  return new AppError('VIEW_EXISTS', `There is a view with the name ${name} already.`, { path: '/name' });
}

function conflict(now: StoredView): AppError {
  return new AppError('VERSION_CONFLICT', `The view has changed: its newest version is ${now.version}.`, {
    path: '/headers/if-match',
  });
}
