import type { Actor } from '@/lib/protocol/actor';
import type { QuotaLimits, QuotasBody } from '@/lib/protocol/api-audit';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { AuditLog } from '@/server/ports/audit-log';
import type { QuotaStore } from '@/server/ports/quota-store';
import { RunCounts } from '@/server/services/run-counts';

/** How long limits and the measured storage are believed, in milliseconds: starting runs must not wait for them. */
const LIMITS_MS = 2_000;
const STORAGE_MS = 60_000;

const NONE: QuotaLimits = { maxOpenRuns: null, maxRunsPerDay: null, maxServers: null, maxStorageBytes: null };

export interface QuotaServiceDeps {
  store: QuotaStore;
  audit: AuditLog;
  now: () => number;
  countServers: (organizationId: string) => Promise<number>;
}

/** How much an organisation may use. Limits are checked when something is begun; what runs is never ended for them. */
export class QuotaService {
  private readonly limits = new Map<string, { at: number; value: Promise<QuotaLimits> }>();
  private readonly storage = new Map<string, { at: number; value: Promise<number> }>();

  private readonly openRuns: RunCounts;
  private readonly runsToday: RunCounts;

  constructor(private readonly deps: QuotaServiceDeps) {
    const { store, now } = deps;
    this.openRuns = new RunCounts((organizationId, most) => store.openRuns(organizationId, most), now);
    this.runsToday = new RunCounts((organizationId, most) => store.runsToday(organizationId, most), now);
  }

  async read(actor: Actor): Promise<QuotasBody> {
    requirePermission(actor, 'organization:read');
    const { organizationId } = actor;
    const [limits, usage, servers] = await Promise.all([
      this.deps.store.limits(organizationId),
      this.deps.store.usage(organizationId),
      this.deps.countServers(organizationId),
    ]);
    return { limits: limits ?? NONE, usage: { ...usage, servers } };
  }

  async set(actor: Actor, limits: QuotaLimits): Promise<QuotasBody> {
    requirePermission(actor, 'organization:manage');
    await this.deps.audit.record(actor, 'quota.set', actor.organizationId, { ...limits });
    await this.deps.store.setLimits(actor.organizationId, limits, actor.id);
    this.limits.delete(actor.organizationId);
    return this.read(actor);
  }

  /** Throws QUOTA_EXCEEDED when no further run may begin. Approximate, see `RunCounts`. */
  async admitRun(organizationId: string): Promise<void> {
    const { maxOpenRuns, maxRunsPerDay, maxStorageBytes } = await this.limitsOf(organizationId);
    const [open, today] = await Promise.all([
      maxOpenRuns === null ? null : this.openRuns.of(organizationId, maxOpenRuns),
      maxRunsPerDay === null ? null : this.runsToday.of(organizationId, maxRunsPerDay),
    ]);
    if (open !== null) refuse('open runs', open.used, maxOpenRuns);
    if (today !== null) refuse('runs a day', today.used, maxRunsPerDay);
    open?.admit();
    today?.admit();
    if (maxStorageBytes === null) return;
    const bytes = await remembered(this.storage, organizationId, STORAGE_MS, this.deps.now(), async () => {
      return (await this.deps.store.usage(organizationId)).storageBytes;
    });
    refuse('bytes of history', bytes, maxStorageBytes);
  }

  /** Throws QUOTA_EXCEEDED when no further server may be added. */
  async admitServer(organizationId: string): Promise<void> {
    const { maxServers } = await this.limitsOf(organizationId);
    if (maxServers !== null) refuse('servers', await this.deps.countServers(organizationId), maxServers);
  }

  private limitsOf(organizationId: string): Promise<QuotaLimits> {
    return remembered(
      this.limits,
      organizationId,
      LIMITS_MS,
      this.deps.now(),
      async () => (await this.deps.store.limits(organizationId)) ?? NONE,
    );
  }
}

function refuse(what: string, used: number, limit: number | null): void {
  if (limit === null || used < limit) return;
  throw new AppError(
    'QUOTA_EXCEEDED',
    `The organisation may have ${limit} ${what}, and has ${used} or more.`,
    {
      details: { what, used, limit },
    },
  );
}

async function remembered<T>(
  known: Map<string, { at: number; value: Promise<T> }>,
  key: string,
  forMs: number,
  now: number,
  read: () => Promise<T>,
): Promise<T> {
  const old = known.get(key);
  if (old && now - old.at < forMs) return old.value;
  const value = read();
  known.set(key, { at: now, value });
  value.catch(() => known.delete(key));
  return value;
}
