import type { Approvers } from '@/lib/protocol/definition-common';
import type { ActivityTarget } from '@/lib/protocol/events-common';
import type { CallResume } from '@/lib/protocol/input-required';
import type { Failure, RunStatus } from '@/lib/protocol/run';
import type { Json, JsonObject } from '@/lib/shared/json';

/** What becomes of a child when its parent gives it up. */
export type ParentClosePolicy = 'terminate' | 'cancel' | 'abandon';

/** Make a call. `started` is only set by `outstanding`: an owner before this one had begun the attempt. */
export interface RunActivity {
  type: 'RUN_ACTIVITY';
  activityId: string;
  nodePath: string;
  nodeId: string;
  attempt: number;
  /** runId + node and iteration path + purpose: the same for every attempt. */
  idempotencyKey: string;
  target: ActivityTarget;
  input: Json;
  timeoutMs: number;
  /** The node's own word on whether a repeat is safe; it overrides the tool's annotations. */
  idempotent?: boolean;
  started?: { retrySafe: boolean };
  /**
   * Go on with these answers. A durable round is sent with the call; the answers of another go into the open call where
   * there is one, else into the same questions when the call is made again. Without requests: follow the task.
   */
  resume?: CallResume;
}

/**
 * Stop a call. The answer is ACTIVITY_TASK_CANCELED when it took no effect, the call's real result, or that nobody knows;
 * it is needed for calls that can be compensated, and simply does not fit any more (no events) for the others.
 */
export interface CancelActivity {
  type: 'CANCEL_ACTIVITY';
  activityId: string;
  /** The task that the server made of the call: to be cancelled there when no process follows it just now. */
  task?: { server: string; taskId: string };
}

export interface StartTimer {
  type: 'START_TIMER';
  timerId: string;
  /** Epoch milliseconds. */
  fireAt: number;
}

export interface CancelTimer {
  type: 'CANCEL_TIMER';
  timerId: string;
}

export interface StartChild {
  type: 'START_CHILD';
  nodePath: string;
  childWorkflowId: string;
  workflow: string;
  version?: number;
  input: Json;
  parentClosePolicy: ParentClosePolicy;
}

export interface StopChild {
  type: 'CANCEL_CHILD' | 'TERMINATE_CHILD';
  nodePath: string;
  childWorkflowId: string;
  childRunId?: string;
}

export interface StartWorkflow {
  type: 'START_WORKFLOW';
  purpose: 'failure-workflow' | 'continue-as-new';
  workflow: string;
  version?: number;
  /** continue-as-new keeps the workflow id; a failure workflow gets one of its own. */
  workflowId?: string;
  input: Json;
}

export interface RequestApproval {
  type: 'REQUEST_APPROVAL';
  approvalId: string;
  nodePath: string;
  title: string;
  description?: string;
  approvers?: Approvers;
  quorum: number;
  form?: JsonObject;
  /** What a guarded call would be made with. */
  subject?: Json;
  /** Epoch milliseconds. */
  deadline?: number;
}

export interface CloseApproval {
  type: 'CLOSE_APPROVAL';
  approvalId: string;
  outcome: 'approved' | 'rejected' | 'expired' | 'cancelled';
}

export interface CloseRun {
  type: 'CLOSE_RUN';
  status: RunStatus;
  output?: Json;
  failure?: Failure;
}

/** What the host must carry out after the events of the transition are committed. */
export type Command =
  | RunActivity
  | CancelActivity
  | StartTimer
  | CancelTimer
  | StartChild
  | StopChild
  | StartWorkflow
  | RequestApproval
  | CloseApproval
  | CloseRun;
