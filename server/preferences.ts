import { randomUUID } from 'node:crypto';
import type { OrganizationSettings } from '@/lib/protocol/settings';
import type { Clock } from '@/lib/shared/clock';
import type { Operation } from '@/server/adapters/http/operation';
import { settingsOperations } from '@/server/adapters/http/operations/settings';
import { viewOperations } from '@/server/adapters/http/operations/views';
import { createAuditLog } from '@/server/adapters/postgres/audit-log';
import type { createPrisma } from '@/server/adapters/postgres/prisma';
import { createSettingsStore } from '@/server/adapters/postgres/settings-store';
import { createViewStore } from '@/server/adapters/postgres/view-store';
import type { Config } from '@/server/config/config';
import { instanceSettings } from '@/server/config/shown-settings';
import type { AccessService } from '@/server/services/access-service';
import { type GivenSetting, SettingsService } from '@/server/services/settings-service';
import { ViewService } from '@/server/services/view-service';

export interface PreferenceDeps {
  config: Config;
  /** A client that connects as oc_app. */
  prisma: ReturnType<typeof createPrisma>;
  clock: Clock;
  environment: Readonly<Record<string, string | undefined>>;
  access: AccessService;
  /** Told that a view is gone. */
  forgetView: (organizationId: string, viewId: string) => Promise<void>;
}

/** What the environment alone decides and everybody may know: key of the API and name of the variable. */
const GIVEN = {
  'limits.payloadBytes': 'OPENCONDUCTOR_MAX_PAYLOAD_BYTES',
  'limits.bodyBytes': 'OPENCONDUCTOR_MAX_BODY_BYTES',
  'retention.days': 'OPENCONDUCTOR_RETENTION_DAYS',
  'servers.probeIntervalMs': 'OPENCONDUCTOR_PROBE_INTERVAL_MS',
  'servers.networks': 'OPENCONDUCTOR_NETWORKS',
  'servers.stdioCommands': 'OPENCONDUCTOR_STDIO_COMMANDS',
} as const;

/** Part of the composition root: what organisations set for themselves, and saved views. */
export function createPreferences(deps: PreferenceDeps) {
  const { config, prisma, clock, environment, access, forgetView: forget } = deps;
  const audit = createAuditLog(prisma);
  const instance = instanceSettings(config, environment);
  const given = Object.entries(GIVEN).map(([key, name]): GivenSetting => {
    const row = instance.find((one) => one.name === name);
    if (row === undefined) throw new Error(`The table of settings has no row for ${name}.`);
    const { value, source, description } = row;
    return { key, value, source, allowed: `set by ${name}`, description };
  });
  const defaults: OrganizationSettings = {
    'tools.changes': 'warn',
    'servers.probe': true,
    'runs.servers': null,
    'runs.maxInputBytes': config.maxPayloadBytes,
    'runs.sensitive': [],
  };
  const limit = given.find((row) => row.key === 'limits.payloadBytes');
  const settings = new SettingsService({
    store: createSettingsStore(prisma),
    audit,
    clock,
    defaults,
    sources: limit === undefined ? {} : { 'runs.maxInputBytes': limit.source },
    given,
    instance,
  });
  const views = new ViewService({
    views: createViewStore(prisma),
    audit,
    access,
    forget,
    newId: randomUUID,
    now: () => clock.now(),
  });
  const operations: Operation[] = [...settingsOperations(settings), ...viewOperations(views)];
  return { settings, views, operations };
}
