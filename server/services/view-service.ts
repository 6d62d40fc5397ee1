import { durationMs } from '@/lib/engine/duration';
import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { SavedView, ViewBody, ViewFilters } from '@/lib/protocol/views';
import { isUuid } from '@/lib/shared/ids';
import type { AuditLog } from '@/server/ports/audit-log';
import type { StoredView, ViewStore } from '@/server/ports/view-store';

export interface ViewServiceDeps {
  views: ViewStore;
  audit: AuditLog;
  newId: () => string;
  /** Epoch milliseconds. */
  now: () => number;
}

/** Use cases around saved views: a private one belongs to whoever made it, a shared one to everybody. */
export class ViewService {
  constructor(private readonly deps: ViewServiceDeps) {}

  /** The caller's own and the shared ones, by name; of two with the same name the caller's own first. */
  async list(actor: Actor, name?: string): Promise<SavedView[]> {
    requirePermission(actor, 'views:read');
    const rows = await this.deps.views.list(actor.organizationId, actor.id);
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
    const rows = await this.deps.views.list(actor.organizationId, actor.id);
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
    const now = await this.mayChange(actor, viewId);
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
    const now = await this.mayChange(actor, viewId);
    if (!(await views.remove(actor.organizationId, now.viewId, seen))) throw conflict(now);
    await audit.record(actor, 'view.remove', viewId, { name: now.name });
  }

  /** A shared view is changed by its owner and by administrators. */
  private async mayChange(actor: Actor, viewId: string): Promise<StoredView> {
    const row = await this.find(actor, viewId);
    if (row.owner !== actor.id) requirePermission(actor, 'settings:write');
    return row;
  }

  private async find(actor: Actor, viewId: string): Promise<StoredView> {
    const row = isUuid(viewId) ? await this.deps.views.get(actor.organizationId, viewId) : null;
    if (row === null || (!row.shared && row.owner !== actor.id)) throw notFound(viewId);
    return row;
  }
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
