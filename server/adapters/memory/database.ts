import type { StreamEvent } from '@/lib/protocol/event';
import type { InboxRow, NewRun, RunUpdate, StoredEvent } from '@/server/ports/execution-store';
import type { NewPayload } from '@/server/ports/payloads';

/** Row of a run in the in-memory twin. */
export interface MemoryRun {
  run: NewRun;
  createdAt: number;
  status: RunUpdate['status'];
  closedAt: number | null;
  historyLength: number;
  wakeAt: number;
  recoveries: number;
}

/** The tables that the in-memory twins of the stores share, as Postgres's adapters share a database. */
export class MemoryDatabase {
  readonly runs = new Map<string, MemoryRun>();
  readonly events = new Map<string, StoredEvent[]>();
  readonly inbox = new Map<number, InboxRow>();
  readonly idempotency = new Map<string, { requestHash: string; runId: string }>();
  readonly audit: { organizationId: string; action: string; object: string }[] = [];
  readonly shards = new Map<number, { owner: string | null; epoch: number; leaseUntil: number }>();
  readonly processes = new Map<string, { host: string; pid: number; until: number }>();
  readonly outbox: { organizationId: string; events: Omit<StreamEvent, 'streamSeq'>[] }[] = [];
  readonly streams = new Map<string, StreamEvent[]>();
  /** By run, then by SHA-256. */
  readonly payloads = new Map<string, Map<string, NewPayload & { organizationId: string }>>();
  nextInboxId = 1;

  constructor(readonly now: () => number) {}
}
