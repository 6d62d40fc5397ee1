import type { Program } from '@/lib/engine/compile';
import type { RunState } from '@/lib/engine/types';
import type { RunStatus } from '@/lib/protocol/run';
import type { OpenRun } from '@/server/ports/execution-store';
import type { InputAnswer } from '@/server/ports/mcp-fleet';
import type { CallAbort } from '@/server/workers/engine/call-abort';

/** What a run takes up in memory besides its data (measured: 4.3 kB of heap in all for one that waits for a signal). */
const RUN_BYTES = 4_000;

/** A run that this process owns and keeps in memory. Its state may be ahead of what is committed, never of what it did. */
export interface ResidentRun {
  readonly info: OpenRun;
  readonly epoch: number;
  readonly program: Program;
  /** Null until the first event (WORKFLOW_EXECUTION_STARTED) was stepped. */
  state: RunState | null;
  /** seq of the last event assigned. */
  seq: number;
  /** Status in the run row, as of the last part submitted. */
  rowStatus: RunStatus;
  /** Roughly what it takes up in memory, from the data of its events: what its state holds came with one of them. */
  bytes: number;
  correlationId: string | null;
  /** Its row may say that it sleeps, or counts recoveries: the next commit also says that it is awake and gets on. */
  asleep: boolean;
  /** Settles when the part before this one has what it needs; parts are submitted in the order of their events. */
  gate: Promise<unknown> | null;
  /** Parts submitted and not settled. */
  pending: number;
  /** Set when the run was dropped (fenced, closed, released): late results must not touch it. */
  gone: boolean;
  /** Calls that wait for a slot of the ready queue, or are under way, and starts of children that are. */
  calls: number;
  readonly activities: Map<string, CallAbort>;
  readonly timers: Map<string, () => void>;
  /** Open calls that wait for answers, by activity: takes the answers. */
  readonly questions: Map<string, (answers: Record<string, InputAnswer>) => void>;
  /** Inbox rows delivered to it and not yet committed as done. */
  readonly inbox: Set<number>;
}

export function newResidentRun(info: OpenRun, epoch: number, program: Program): ResidentRun {
  return {
    info,
    epoch,
    program,
    state: null,
    seq: 0,
    rowStatus: info.status,
    bytes: RUN_BYTES,
    correlationId: null,
    asleep: false,
    gate: null,
    pending: 0,
    gone: false,
    calls: 0,
    activities: new Map(),
    timers: new Map(),
    questions: new Map(),
    inbox: new Set(),
  };
}

/** The person whose credentials the run's calls are made with, where a server is declared so. */
export function subjectOf(state: RunState | null): string | undefined {
  return state?.onBehalfOf ?? state?.startedBy;
}
