import type { Failure } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';

/** What a named in-process function is told about its call. */
export interface ActivityContext {
  organizationId: string;
  runId: string;
  nodePath: string;
  attempt: number;
  idempotencyKey: string;
  signal: AbortSignal;
}

/** A named in-process function that `activity` nodes call. Throw an Error with a catalogue `code` to fail with it. */
export type ActivityFunction = (input: Json, context: ActivityContext) => Promise<Json> | Json;

export type ActivityOutcome = { ok: true; output: Json } | { ok: false; failure: Failure };

/** How far a call has got, as its server says. `at` is epoch ms. */
export interface ActivityProgress {
  organizationId: string;
  runId: string;
  nodePath: string;
  at: number;
  progress: number;
  total?: number;
  message?: string;
}
