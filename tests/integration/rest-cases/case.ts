import type { EngineProcess } from '../../support/engine-process';

/** An answer with its body read: parsed when it is JSON, else text. */
export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** What the cases of all operations share: a running process and a few things in it. */
export interface World {
  engine: EngineProcess;
  /** Starts a run and gives its id. */
  start(workflow: string, body?: Record<string, unknown>): Promise<string>;
  /** Waits until the run is in this status. */
  until(runId: string, status: string): Promise<void>;
  /** Waits until a node of the run is in this status. */
  untilNode(runId: string, path: string, status: string): Promise<void>;
  /** Makes somebody a viewer of the local organisation; gives the user's id. */
  newMember(): Promise<string>;
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** One success and one error of an operation. Both say which status they expect; a failure also its code. */
export interface OperationCases {
  success: { status: number; ask: (world: World) => Promise<Answer> };
  failure: { status: number; code: string; ask: (world: World) => Promise<Answer> };
}

export type Cases = Record<string, OperationCases>;

export const NOBODY = '01999999-0000-7000-8000-000000000000';
