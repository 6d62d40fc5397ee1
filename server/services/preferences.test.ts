import { describe, expect, it } from 'vitest';
import type { Actor } from '@/lib/protocol/actor';
import { viewBodySchema } from '@/lib/protocol/views';
import type { AuditLog } from '@/server/ports/audit-log';
import type { SettingsStore, StoredSettings } from '@/server/ports/settings-store';
import type { StoredView, ViewStore } from '@/server/ports/view-store';
import { SettingsService } from '@/server/services/settings-service';
import { ViewService } from '@/server/services/view-service';

const ORGANIZATION = '00000000-0000-4000-8000-000000000001';
const actor = (id: string, role: Actor['role'] = 'operator'): Actor => ({
  kind: 'user',
  id,
  organizationId: ORGANIZATION,
  role,
  displayName: id,
});

function auditLog() {
  const actions: string[] = [];
  const audit: AuditLog = { record: async (_actor, action) => void actions.push(action) };
  return { actions, audit };
}

/** A store that keeps to the contract of the port, in memory. */
function viewStore(): ViewStore {
  const rows = new Map<string, StoredView>();
  const clashes = (view: Pick<StoredView, 'viewId' | 'owner' | 'shared' | 'name'>) =>
    [...rows.values()].some(
      (row) =>
        row.viewId !== view.viewId &&
        row.name === view.name &&
        row.shared === view.shared &&
        (row.shared || row.owner === view.owner),
    );
  return {
    list: async (_organization, owner) =>
      [...rows.values()]
        .filter((row) => row.shared || row.owner === owner)
        .sort((a, b) => Number(a.shared) - Number(b.shared)),
    get: async (_organization, viewId) => rows.get(viewId) ?? null,
    create: async (view) => {
      if (clashes(view)) return null;
      const row = { ...view, version: 1, createdAt: 0, updatedAt: 0 };
      rows.set(row.viewId, row);
      return row;
    },
    update: async (_organization, viewId, seen, facts) => {
      const row = rows.get(viewId);
      if (row?.version !== seen) return 'conflict';
      if (clashes({ ...row, ...facts })) return 'taken';
      const changed = { ...row, ...facts, version: seen + 1 };
      rows.set(viewId, changed);
      return changed;
    },
    remove: async (_organization, viewId, seen) =>
      (seen === null || rows.get(viewId)?.version === seen) && rows.delete(viewId),
  };
}

describe('saved views', () => {
  const service = () => {
    let n = 0;
    const log = auditLog();
    const newId = () => `00000000-0000-4000-8000-0000000000${String(++n).padStart(2, '0')}`;
    const views = new ViewService({
      views: viewStore(),
      audit: log.audit,
      access: { of: async () => null },
      forget: async () => {},
      newId,
      now: () => 86_400_000,
    });
    return { views, ...log };
  };
  const body = (name: string, more: object = {}) => viewBodySchema.parse({ name, ...more });

  it('a private one is seen, read and changed by its owner alone', async () => {
    const { views, actions } = service();
    const mine = await views.create(actor('ann'), body('mine'));
    expect(await views.list(actor('bob', 'owner'))).toEqual([]);
    for (const attempt of [
      views.get(actor('bob', 'owner'), mine.viewId),
      views.replace(actor('bob', 'owner'), mine.viewId, 1, body('his')),
      views.remove(actor('bob', 'owner'), mine.viewId, null),
      views.filtersOf(actor('bob', 'owner'), 'mine'),
    ])
      await expect(attempt).rejects.toMatchObject({ code: 'VIEW_NOT_FOUND' });
    await views.remove(actor('ann'), mine.viewId, 1);
    expect(actions).toEqual(['view.create', 'view.remove']);
  });

  it('a shared one is seen by all and changed by its owner and administrators', async () => {
    const { views } = service();
    const shared = await views.create(actor('ann'), body('ours', { shared: true }));
    expect(await views.get(actor('eve', 'viewer'), shared.viewId)).toMatchObject({ mine: false });
    const refused = views.replace(actor('bob'), shared.viewId, 1, body('ours'));
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(views.create(actor('eve', 'viewer'), body('x'))).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    const changed = await views.replace(
      actor('adm', 'admin'),
      shared.viewId,
      1,
      body('ours', { shared: true }),
    );
    expect(changed).toMatchObject({ version: 2, owner: 'ann' });
    const late = views.replace(actor('ann'), shared.viewId, 1, body('ours'));
    await expect(late).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    await expect(views.remove(actor('ann'), shared.viewId, 1)).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
    });
  });

  it('names are taken once; of two that may stand side by side the own one is meant', async () => {
    const { views } = service();
    await views.create(actor('ann'), body('x', { shared: true, filters: { workflow: 'shared' } }));
    await views.create(actor('bob'), body('x', { filters: { workflow: 'own', startedWithin: '1h' } }));
    const twice = views.create(actor('bob'), body('x'));
    await expect(twice).rejects.toMatchObject({ code: 'VIEW_EXISTS' });
    await expect(views.create(actor('bob'), body('x', { shared: true }))).rejects.toMatchObject({
      code: 'VIEW_EXISTS',
    });
    expect(await views.filtersOf(actor('ann'), 'x')).toEqual({ workflow: 'shared' });
    expect(await views.filtersOf(actor('bob'), 'x')).toEqual({
      workflow: 'own',
      startedAfter: '1970-01-01T23:00:00.000Z',
    });
  });
});

describe('settings', () => {
  function service() {
    let row: StoredSettings = { values: {}, version: 0, updatedBy: null, updatedAt: null };
    let [now, reads] = [0, 0];
    const store: SettingsStore = {
      read: async () => {
        reads++;
        return row;
      },
      write: async (_organization, seen, values, by) => {
        if (seen !== row.version) return null;
        row = { values, version: seen + 1, updatedBy: by, updatedAt: now };
        return row;
      },
    };
    const log = auditLog();
    const settings = new SettingsService({
      store,
      audit: log.audit,
      clock: { now: () => now },
      defaults: {
        'tools.changes': 'warn',
        'servers.probe': true,
        'runs.servers': null,
        'runs.sensitive': [],
        'runs.maxInputBytes': 1000,
      },
      sources: { 'runs.maxInputBytes': 'environment' },
      given: [{ key: 'retention.days', value: 0, source: 'default', allowed: 'x', description: 'y' }],
      instance: [],
    });
    return {
      settings,
      ...log,
      reads: () => reads,
      later: (ms: number) => {
        now += ms;
      },
      /** As another process does. */
      elsewhere: (values: StoredSettings['values']) => {
        row = { ...row, values, version: row.version + 1 };
      },
    };
  }
  const admin = actor('adm', 'admin');

  it('say where a value comes from, and refuse what cannot hold', async () => {
    const { settings, actions } = service();
    const source = async (key: string) =>
      (await settings.get(admin)).items.find((row) => row.key === key)?.source;
    expect([await source('tools.changes'), await source('runs.maxInputBytes')]).toEqual([
      'default',
      'environment',
    ]);
    await settings.change(admin, { 'tools.changes': 'block' }, 0);
    expect(await source('tools.changes')).toBe('organisation');
    for (const [values, code] of [
      [{ 'tools.changes': 'maybe' }, 'INVALID_INPUT'],
      [{ 'runs.maxInputBytes': 1001 }, 'INVALID_INPUT'],
      [{ 'retention.days': 3 }, 'INVALID_INPUT'],
      [{ nope: 3 }, 'SETTING_NOT_FOUND'],
      [{ __proto__x: 1 }, 'SETTING_NOT_FOUND'],
    ] as const)
      await expect(settings.change(admin, values, null)).rejects.toMatchObject({ code });
    const stale = settings.change(admin, { 'servers.probe': false }, 0);
    await expect(stale).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    await expect(settings.change(actor('op'), { 'servers.probe': false }, null)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(() => settings.instance(actor('op'))).toThrow('settings:write');
    await settings.change(admin, { 'tools.changes': null }, null);
    expect(await source('tools.changes')).toBe('default');
    expect(actions).toEqual(['settings.change', 'settings.change']);
  });

  it('are asked for without a reading each time, and follow other processes within two seconds', async () => {
    const { settings, reads, later, elsewhere } = service();
    for (let n = 0; n < 5; n++) await settings.current(ORGANIZATION);
    expect(reads()).toBe(1);
    elsewhere({ 'tools.changes': 'off' });
    later(1_999);
    expect((await settings.current(ORGANIZATION))['tools.changes']).toBe('warn');
    later(1);
    expect((await settings.current(ORGANIZATION))['tools.changes']).toBe('off');
    await settings.change(admin, { 'tools.changes': 'block' }, null);
    expect(settings.peek(ORGANIZATION)['tools.changes']).toBe('block');
    // A value that this version does not know, or above its limit, does no harm.
    elsewhere({ 'tools.changes': 'of tomorrow', 'runs.maxInputBytes': 5_000 });
    later(5_000);
    expect(await settings.current(ORGANIZATION)).toMatchObject({
      'tools.changes': 'warn',
      'runs.maxInputBytes': 1000,
    });
  });
});
