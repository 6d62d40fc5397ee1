import type { QuotaLimits, QuotasBody } from '@/lib/protocol/api-audit';

/** Limits of organisations and what is used of them. Servers are counted elsewhere: some are in a file. */
export interface QuotaStore {
  limits(organizationId: string): Promise<QuotaLimits | null>;
  setLimits(organizationId: string, limits: QuotaLimits, by: string): Promise<void>;
  /** `runsToday` counts from midnight UTC. `storageBytes` is what histories take, as stored. */
  usage(organizationId: string): Promise<Omit<QuotasBody['usage'], 'servers'>>;
  /** Open runs, counted up to `most` and no further. */
  openRuns(organizationId: string, most: number): Promise<number>;
  /** The same of runs that were started since midnight UTC. */
  runsToday(organizationId: string, most: number): Promise<number>;
}
