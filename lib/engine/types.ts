import type { Command } from '@/lib/engine/commands';
import type { Approvers } from '@/lib/protocol/definition-common';
import type { EngineEvent, EngineEventOf } from '@/lib/protocol/events';
import type { RunTrace, Seed } from '@/lib/protocol/events-run';
import type { AnsweredRound, CallResume, InputRequiredBody } from '@/lib/protocol/input-required';
import type { Failure, NodeStatus, RunStatus } from '@/lib/protocol/run';
import type { Json, JsonObject } from '@/lib/shared/json';

export type { EngineEvent, EngineEventOf, EventData, EventType } from '@/lib/protocol/events';

/** First event of a run. */
export type StartedEvent = EngineEventOf<'WORKFLOW_EXECUTION_STARTED'>;

/**
 * Result of createRun and step. `events` holds the input event first and then everything it caused, in order;
 * it is empty when the event no longer fits. `commands` are carried out after the events are committed.
 */
export interface Transition {
  state: RunState;
  events: EngineEvent[];
  commands: Command[];
}

/** Facts of a failed attempt, kept until it is decided what follows. */
export interface PendingFailure {
  failure: Failure;
  jitter: number;
  retryAt?: number | undefined;
  ambiguous: boolean;
  retrySafe?: boolean | undefined;
}

/** One call of a node: `do` forward, `compensate` to undo. */
export interface CallState {
  status: 'idle' | 'scheduled' | 'started' | 'backing_off' | 'input_required' | 'unknown_outcome' | 'closed';
  /** Number of the current attempt. */
  attempt: number;
  input: Json;
  started?: { retrySafe: boolean } | undefined;
  pending?: PendingFailure | undefined;
  cancelRequested?: boolean | undefined;
  /** An attempt that is over may have taken effect; nobody has said yet whether it did. */
  doubtful?: boolean | undefined;
  /** What the server asks and nobody has answered yet. */
  question?: InputRequiredBody | undefined;
  /** What was answered: the call goes on with it. */
  resume?: CallResume | undefined;
  /** What was answered before the open question, by the same call. */
  earlier?: AnsweredRound[] | undefined;
  /** Id of the task that the server made of the call. */
  remoteTask?: string | undefined;
  /** It waits (or waited) for a breaker: the next try is the same attempt. */
  waitedForCircuit?: boolean | undefined;
}

export interface Decision {
  by: string;
  decision: 'approve' | 'reject';
  comment?: string | undefined;
  form?: Json | undefined;
  at: number;
}

export interface ApprovalState {
  approvalId: string;
  open: boolean;
  title: string;
  description?: string | undefined;
  quorum: number;
  approvers?: Approvers | undefined;
  /** Added by an escalation. */
  moreApprovers?: Approvers | undefined;
  form?: JsonObject | undefined;
  subject?: Json | undefined;
  deadline?: number | undefined;
  decisions: Decision[];
  outcome?: 'approved' | 'rejected' | 'expired' | 'cancelled' | undefined;
}

export interface ChildState {
  childWorkflowId: string;
  childRunId?: string | undefined;
  workflow: string;
  version?: number | undefined;
  input: Json;
  parentClosePolicy: 'terminate' | 'cancel' | 'abandon';
  open: boolean;
}

/** Progress of a loop or of a parallel node; `results` by iteration number or branch position. */
export interface ProgressState {
  items?: Json[] | undefined;
  started: number;
  open: number;
  completed: number;
  failed: number;
  results: (Json | undefined)[];
  failures: { index: number; failure: Failure }[];
  /** Paths of the graph instances inside that are not closed. */
  openScopes: Set<string>;
}

/** How a node that waits was answered; NODE_COMPLETED or NODE_FAILED follows. */
export interface Settled {
  output?: Json | undefined;
  port?: string | undefined;
  failure?: Failure | undefined;
}

/** State of one node in one scope. */
export interface NodeState {
  path: string;
  id: string;
  scope: string;
  status: NodeStatus;
  /** Position in the order in which nodes began (or were given up); 0 while pending. */
  order: number;
  /** Join bookkeeping over the incoming edges. */
  settledIn: number;
  takenIn: number;
  failedIn: number;
  /** Source of the first edge that was taken. */
  firstFrom?: string | undefined;
  startedAt?: number | undefined;
  endedAt?: number | undefined;
  output?: Json | undefined;
  port?: string | undefined;
  failure?: Failure | undefined;
  seeded?: boolean | undefined;
  call?: CallState | undefined;
  compensation?: CallState | undefined;
  approval?: ApprovalState | undefined;
  child?: ChildState | undefined;
  progress?: ProgressState | undefined;
  signal?: string | undefined;
  settled?: Settled | undefined;
  /** Ids of the open timers that belong to the node. */
  timers?: string[] | undefined;
}

/** One instance of a graph: the run itself (''), a branch, a sequence, one iteration. */
export interface ScopeState {
  path: string;
  /** Key of the graph in the program. */
  graph: string;
  /** Path of the container node, and of the scope that this node lies in; null for the root. */
  owner: string | null;
  parent: string | null;
  /** Iteration number or branch position. */
  index: number;
  /** Loop variables. */
  vars?: JsonObject | undefined;
  /** Nodes that are not settled yet. */
  remaining: number;
  /** Paths of nodes in progress. */
  active: Set<string>;
  closed: boolean;
  failure?: Failure | undefined;
}

export interface TimerState {
  timerId: string;
  purpose: 'workflow-timeout' | 'retry' | 'circuit' | 'wait' | 'timeout' | 'deadline' | 'escalation';
  nodePath?: string | undefined;
  activityId?: string | undefined;
  fireAt: number;
}

/**
 * Something that has to be decided. Filled by `apply` only, so that replay builds the same list. The key is a node path,
 * a scope path followed by `#`, or `#close`, `#cancel`, `#timeout` for the run.
 */
export type AgendaKind =
  | 'start'
  | 'skip'
  | 'join-failed'
  | 'attempt-failed'
  | 'retry'
  | 'resume'
  | 'settled'
  | 'approval'
  | 'escalate'
  | 'advance'
  | 'scope-done'
  | 'scope-failed'
  | 'close'
  | 'cancel-run'
  | 'run-timeout';

export interface Closing {
  status: 'completed' | 'failed' | 'cancelled' | 'timed_out' | 'continued_as_new';
  failure?: Failure | undefined;
  reason?: string | undefined;
  output?: Json | undefined;
  input?: Json | undefined;
  compensate: boolean;
  /** Undo list, in the order in which it is worked off; set when compensation starts. */
  queue?: string[] | undefined;
  next: number;
  compensated: number;
  failed: number;
}

export interface ServerUsage {
  calls: number;
  errors: number;
  totalMs: number;
  lastCallAt: number;
}

export interface UsageState {
  calls: number;
  errors: number;
  totalMs: number;
  bytesIn: number;
  bytesOut: number;
  tokens: number;
  costUsd: number;
  servers: Map<string, ServerUsage>;
}

/** State of a run: the fold of its events. Never changed but by `apply`. */
export interface RunState {
  runId: string;
  workflowId: string;
  organizationId: string;
  workflow: string;
  version: number;
  definitionHash: string;
  startedBy: string;
  /** Whose personal credentials are used, when not those of `startedBy`; decides nothing in the engine itself. */
  onBehalfOf?: string | undefined;
  parent?: { runId: string; nodePath: string } | undefined;
  previousRunId?: string | undefined;
  /** 1 (first) to 5; decides nothing in the engine itself. */
  priority?: number | undefined;
  correlationId?: string | undefined;
  /** Its place in a distributed trace; decides nothing. */
  trace?: RunTrace | undefined;
  flags: readonly string[];
  input: Json;
  seeds?: Record<string, Seed> | undefined;
  status: RunStatus;
  paused: boolean;
  startedAt: number;
  closedAt?: number | undefined;
  /** Time of the newest event. */
  now: number;
  historyLength: number;
  warned: boolean;
  output?: Json | undefined;
  failure?: Failure | undefined;
  searchAttributes: JsonObject;
  /** How many nodes have begun. */
  begun: number;
  nodes: Map<string, NodeState>;
  scopes: Map<string, ScopeState>;
  timers: Map<string, TimerState>;
  /** Signals nobody has taken yet, by name. */
  signals: Map<string, Json[]>;
  signalIds: Set<string>;
  /** Nodes that wait for a signal, by name, longest wait first. */
  signalWaiters: Map<string, string[]>;
  /** Completed nodes that can be undone, in the order of their completion. */
  undo: string[];
  /** Cancelled calls whose outcome is awaited because they could be undone. */
  draining: number;
  closing?: Closing | undefined;
  agenda: Map<string, AgendaKind>;
  /** Reason of the requested cancellation. */
  cancelReason?: string | undefined;
  usage: UsageState;
}
