import type { Actor } from '@/lib/protocol/actor';
import { AppError, jsonPointer } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import {
  type InstanceSetting,
  ORGANIZATION_SETTINGS,
  type OrganizationSettings,
  SETTING_KEYS,
  type Setting,
  type SettingKey,
  type SettingSource,
  type Settings,
} from '@/lib/protocol/settings';
import type { Clock } from '@/lib/shared/clock';
import type { Json, JsonObject } from '@/lib/shared/json';
import type { AuditLog } from '@/server/ports/audit-log';
import type { SettingsStore, StoredSettings } from '@/server/ports/settings-store';

/** A change made through another process takes effect here within this time, milliseconds. */
const FRESH_MS = 2_000;

/** A setting that the process was started with, as organisations see it. */
export interface GivenSetting {
  key: string;
  value: Json;
  source: 'default' | 'environment';
  allowed: string;
  description: string;
}

export interface SettingsServiceDeps {
  store: SettingsStore;
  audit: AuditLog;
  clock: Pick<Clock, 'now'>;
  /** What holds when an organisation has set nothing, and where that comes from. */
  defaults: OrganizationSettings;
  sources: Partial<Record<SettingKey, SettingSource>>;
  /** Shown to everybody, decided by the environment alone. */
  given: readonly GivenSetting[];
  /** Every setting of the environment, secrets masked. */
  instance: readonly InstanceSetting[];
}

interface Known {
  stored: StoredSettings;
  readAt: number;
}

/** Use cases around settings, and what the rest of the system asks about them while it works. */
export class SettingsService {
  private readonly known = new Map<string, Known>();
  private readonly loading = new Map<string, Promise<StoredSettings>>();

  constructor(private readonly deps: SettingsServiceDeps) {}

  /** The settings that hold for an organisation; at most two seconds behind what another process wrote. */
  async current(organizationId: string): Promise<OrganizationSettings> {
    const known = this.fresh(organizationId);
    return this.effective(known ?? (await this.load(organizationId)));
  }

  /** The same without waiting: what was read last, and a reading begins when that is old. */
  peek(organizationId: string): OrganizationSettings {
    if (this.fresh(organizationId) === undefined) this.load(organizationId).catch(() => undefined);
    return this.effective(this.known.get(organizationId)?.stored);
  }

  async get(actor: Actor): Promise<Settings> {
    requirePermission(actor, 'settings:read');
    return this.shown(await this.load(actor.organizationId));
  }

  /** The settings of the environment of this process, for administrators. */
  instance(actor: Actor): readonly InstanceSetting[] {
    requirePermission(actor, 'settings:write');
    return this.deps.instance;
  }

  /**
   * Changes settings; null takes the organisation's own value away. `seen` is the version that was read, or null when
   * that does not matter. Throws SETTING_NOT_FOUND, INVALID_INPUT, VERSION_CONFLICT.
   */
  async change(
    actor: Actor,
    changes: Readonly<Record<string, Json>>,
    seen: number | null,
  ): Promise<Settings> {
    requirePermission(actor, 'settings:write');
    const { store, audit } = this.deps;
    const checked = Object.entries(changes).map(([key, value]) => this.check(key, value));
    for (let tries = 0; ; tries++) {
      const now = await store.read(actor.organizationId);
      if (seen !== null && seen !== now.version) throw conflict(now.version);
      const values: JsonObject = { ...now.values };
      for (const { key, value } of checked) {
        if (value === undefined) delete values[key];
        else values[key] = value;
      }
      const written = await store.write(actor.organizationId, now.version, values, actor.id);
      if (written === null) {
        if (seen !== null || tries > 10) throw conflict(now.version + 1);
        continue;
      }
      this.known.set(actor.organizationId, { stored: written, readAt: this.deps.clock.now() });
      await audit.record(actor, 'settings.change', 'settings', { values: { ...changes } });
      return this.shown(written);
    }
  }

  /** A value that may be set; undefined = back to the default. */
  private check(key: string, value: Json): { key: SettingKey; value: Json | undefined } {
    const path = jsonPointer(['values', key]);
    if (!isKey(key)) {
      const given = this.deps.given.find((row) => row.key === key);
      if (given === undefined)
        throw new AppError('SETTING_NOT_FOUND', `There is no setting ${key}.`, { path });
      throw new AppError('INVALID_INPUT', `${key} is decided by the environment of the process.`, { path });
    }
    if (value === null) return { key, value: undefined };
    const { schema, allowed } = ORGANIZATION_SETTINGS[key];
    const parsed = schema.safeParse(value);
    if (!parsed.success)
      throw new AppError('INVALID_INPUT', `${key} takes ${allowed}: ${parsed.error.issues[0]?.message}.`, {
        path,
      });
    const most = this.deps.defaults['runs.maxInputBytes'];
    if (key === 'runs.maxInputBytes' && Number(value) > most) {
      throw new AppError('INVALID_INPUT', `${key} is at most ${most}, the limit of this instance.`, { path });
    }
    return { key, value: parsed.data };
  }

  private fresh(organizationId: string): StoredSettings | undefined {
    const known = this.known.get(organizationId);
    return known !== undefined && this.deps.clock.now() - known.readAt < FRESH_MS ? known.stored : undefined;
  }

  private load(organizationId: string): Promise<StoredSettings> {
    const under = this.loading.get(organizationId);
    if (under !== undefined) return under;
    const load = this.deps.store
      .read(organizationId)
      .then((stored) => {
        const known = this.known.get(organizationId)?.stored;
        // A change of ours may have been written while this was read.
        const newest = known !== undefined && known.version > stored.version ? known : stored;
        this.known.set(organizationId, { stored: newest, readAt: this.deps.clock.now() });
        return newest;
      })
      .finally(() => this.loading.delete(organizationId));
    this.loading.set(organizationId, load);
    return load;
  }

  /** Defaults with what the organisation has set over them; a value that is not allowed any more counts as not set. */
  private effective(stored: StoredSettings | undefined): OrganizationSettings {
    const { defaults } = this.deps;
    const merged: Record<string, unknown> = { ...defaults };
    for (const key of SETTING_KEYS) {
      const parsed = ORGANIZATION_SETTINGS[key].schema.safeParse(stored?.values[key]);
      if (parsed.success && stored?.values[key] !== undefined) merged[key] = parsed.data;
    }
    const settings = merged as OrganizationSettings;
    const most = defaults['runs.maxInputBytes'];
    return { ...settings, 'runs.maxInputBytes': Math.min(settings['runs.maxInputBytes'], most) };
  }

  private shown(stored: StoredSettings): Settings {
    const { sources, given } = this.deps;
    const values = this.effective(stored);
    const own = SETTING_KEYS.map((key): Setting => {
      const { allowed, description } = ORGANIZATION_SETTINGS[key];
      const source = stored.values[key] === undefined ? (sources[key] ?? 'default') : 'organisation';
      return { key, value: values[key] as Json, source, editable: true, allowed, description };
    });
    return {
      items: [...own, ...given.map((row): Setting => ({ ...row, editable: false }))],
      version: stored.version,
      updatedAt: stored.updatedAt === null ? null : new Date(stored.updatedAt).toISOString(),
      updatedBy: stored.updatedBy,
    };
  }
}

function isKey(key: string): key is SettingKey {
  return Object.hasOwn(ORGANIZATION_SETTINGS, key);
}

function conflict(version: number): AppError {
  return new AppError('VERSION_CONFLICT', `The settings have changed: their newest version is ${version}.`, {
    path: '/headers/if-match',
  });
}
