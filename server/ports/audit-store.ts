import type { AuditEntryBody, AuditFilter } from '@/lib/protocol/api-audit';
import type { SealedFacts } from '@/lib/shared/audit-hash';

/** A sealed entry as the chain has it. */
export type ChainLink = SealedFacts & { hash: string };

/** The end of a chain; seq 0 and '' before anything is sealed. */
export interface ChainHead {
  seq: number;
  hash: string;
}

/** Reads of the audit log within one organisation. */
export interface AuditReader {
  /** Newest first. `before` is the last entry of the page before. */
  search(
    organizationId: string,
    filter: AuditFilter,
    limit: number,
    before: { at: string; id: string } | null,
  ): Promise<AuditEntryBody[]>;
  /** Sealed entries behind a place of the chain, in its order. */
  chain(organizationId: string, after: number, limit: number): Promise<ChainLink[]>;
  head(organizationId: string): Promise<ChainHead>;
  unsealed(organizationId: string): Promise<number>;
}

/** Seals entries into the chains of all organisations. */
export interface AuditSealer {
  /** Organisations with entries that wait. */
  waiting(): Promise<string[]>;
  /** Seals up to `limit` entries of one organisation; gives how many. Two processes at once wait for each other. */
  seal(organizationId: string, limit: number): Promise<number>;
}
