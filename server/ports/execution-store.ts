import type { Failure, RunStatus } from '@/lib/protocol/run';
import type { JsonObject } from '@/lib/shared/json';

/** One event to append. `at` is in epoch milliseconds; `seq` was assigned by the lease owner. */
export interface AppendedEvent {
  seq: number;
  type: string;
  at: number;
  data: JsonObject;
  causationSeq: number | null;
}

/** Changes to the narrow run row. `wakeAt` null = only a command can wake the run. */
export interface RunUpdate {
  status: RunStatus;
  closedAt: number | null;
  historyLength: number;
  failure: Failure | null;
  wakeAt: number | null;
}

/** A run to create: its row, and the inbox row that starts it, become visible together. */
export interface NewRun {
  runId: string;
  organizationId: string;
  workflowId: string;
  workflow: string;
  version: number;
  definitionHash: string;
  shard: number;
  startedBy: string;
  parentRunId: string | null;
  parentNodePath: string | null;
  previousRunId: string | null;
  /** Payload of WORKFLOW_EXECUTION_STARTED. */
  started: JsonObject;
  /** Of a run that joins a commit: the audit entry of its start. */
  audit?: AuditFacts;
  /** Of a run that joins a commit: its workflow id is made for this one start. Left out when that id has a run, even a closed one. */
  once?: boolean;
}

/** A durable command waiting for the owner of its shard. */
export interface InboxRow {
  id: number;
  shard: number;
  organizationId: string;
  runId: string;
  eventType: string;
  data: JsonObject;
}

export type NewInboxRow = Omit<InboxRow, 'id'>;

/** Everything one run wants committed together. */
export interface CommitPart {
  organizationId: string;
  runId: string;
  shard: number;
  epoch: number;
  correlationId: string | null;
  events: AppendedEvent[];
  update: RunUpdate | null;
  newRuns: NewRun[];
  inboxAdds: NewInboxRow[];
  /** Inbox rows that this part answers. */
  inboxDone: number[];
}

/** Whose a part is, and under which lease it was made. */
export type CommitKey = Pick<CommitPart, 'runId' | 'shard' | 'epoch'>;

/** Who wrote a command, for the audit log. */
export interface AuditFacts {
  actorKind: string;
  actorId: string;
  action: string;
  object: string;
  details: JsonObject;
}

/** A command from outside. With `newRun` it is a start, else it goes to the open run `runId`. */
export interface AcceptRequest {
  organizationId: string;
  runId: string;
  shard: number;
  newRun: NewRun | null;
  eventType: string;
  data: JsonObject;
  idempotency: { key: string; requestHash: string } | null;
  audit: AuditFacts;
}

/** A content (`$payload`) of the organisation that a run is to have a copy of. */
export interface HandedContent {
  organizationId: string;
  runId: string;
  sha256: string;
}

/** `row` is null when the idempotency key was seen before: then `runId` is the run of the first request. */
export interface AcceptResult {
  runId: string;
  row: InboxRow | null;
}

/** How much one read of the inbox gives at most. */
export interface InboxLimits {
  /** Rows of one organisation. */
  each: number;
  /** Rows of all. */
  rows: number;
  /** Bytes of their data, as text; the row that goes over it is the last. */
  bytes: number;
}

/** A span of wake-up times, and where in it to go on. */
export interface WakeWindow {
  after: number | null;
  afterRunId: string | null;
  until: number;
}

/** An open run as a new owner finds it. */
export interface OpenRun {
  runId: string;
  organizationId: string;
  workflowId: string;
  workflow: string;
  version: number;
  definitionHash: string;
  shard: number;
  status: RunStatus;
  recoveries: number;
  /** Epoch ms; Infinity when only a command can wake it. */
  wakeAt: number;
  parentRunId: string | null;
  parentNodePath: string | null;
  parentShard: number | null;
}

export interface StoredEvent extends AppendedEvent {
  runId: string;
}

/**
 * Where runs live. All writes of the engine go through `accept` and `commit`; both are atomic and durable when
 * they resolve.
 */
export interface ExecutionStore {
  /**
   * Takes a command: inbox row (and run row of a start), idempotency record and audit entry in one transaction.
   * Throws WORKFLOW_ID_IN_USE, IDEMPOTENCY_CONFLICT, RUN_NOT_FOUND, RUN_CLOSED, DATABASE_UNAVAILABLE.
   */
  accept(request: AcceptRequest): Promise<AcceptResult>;
  /**
   * Gives runs their copies of contents ahead of the `commit` that hands them over, which else makes them itself while all that
   * is in it waits. May be repeated; what is there is left as it is, what nobody has is passed over. A copy that turns out not to
   * be needed goes with the week of its run. Throws DATABASE_UNAVAILABLE.
   */
  adopt(contents: readonly HandedContent[]): Promise<void>;
  /**
   * Appends a batch under the leases of `owner`; its parts name one epoch of a shard, else it is refused. Resolves with the shards that were still held: parts of other
   * shards wrote nothing. Throws DATABASE_UNAVAILABLE when it is not known whether the batch was written, any other
   * error when the store refused it (nothing was written).
   */
  commit(owner: string, parts: readonly CommitPart[]): Promise<ReadonlySet<number>>;
  /** For each run that has any, its number of stored events. */
  historyLengths(runIds: readonly string[]): Promise<Map<string, number>>;
  /**
   * Tells after a broken `commit` whether it happened: the number of stored events of each part's run, read together with
   * the lease. Parts whose shard `owner` does not hold under their epoch any more are left out: what is there of their
   * runs may be the heir's.
   */
  ownLengths(owner: string, parts: readonly CommitKey[]): Promise<Map<string, number>>;
  /**
   * Each organisation's oldest inbox rows of the shards, without those already in hand; oldest first. Where a limit cuts,
   * organisations have taken turns, row by row.
   */
  readInbox(shards: readonly number[], inHand: readonly number[], limits: InboxLimits): Promise<InboxRow[]>;
  /** The same without starts of runs, however many of them are older. */
  readCommands(
    shards: readonly number[],
    inHand: readonly number[],
    limits: InboxLimits,
  ): Promise<InboxRow[]>;
  /**
   * Open runs of the shards that must be in memory after `window.after` and until `window.until` (epoch ms; null =
   * from the beginning), soonest first; `window.afterRunId` continues a page at the same instant.
   */
  dueRuns(shards: readonly number[], window: WakeWindow, limit: number): Promise<OpenRun[]>;
  /** For each run that has events, roughly how many bytes reading its history takes. */
  historySizes(runIds: readonly string[]): Promise<Map<string, number>>;
  /**
   * The run as which a run goes on that has continued as new: the very next one, which each command but a parent's goes on to from run
   * to run, because a run knows only the signals that came to itself. To whom the parent gave a word (`by` is its run id), the open
   * one: a parent knows the first run of a chain, and chains can be long. Null when there is none.
   */
  successor(runId: string, by: string | null): Promise<string | null>;
  /** One open run, or null when it is closed or unknown. */
  openRun(runId: string): Promise<OpenRun | null>;
  /** Full histories in order of run and seq. */
  readHistories(runIds: readonly string[]): Promise<StoredEvent[]>;
  /** Counts a load by a new owner, up to `most` at most; returns the counts of now. */
  countRecoveries(runIds: readonly string[], most: number): Promise<Map<string, number>>;
  /** Takes one load back: the process no longer has these runs in memory, and has not ended meanwhile. */
  uncountRecoveries(runIds: readonly string[]): Promise<void>;
  /** Sets the counts back: the process outlived having these runs in memory. */
  clearRecoveries(runIds: readonly string[]): Promise<void>;
}
