import type { RunActivity } from '@/lib/engine/commands';
import type { Tool } from '@/lib/protocol/api';
import { isAppError } from '@/lib/protocol/errors';
import type { Failure } from '@/lib/protocol/run';
import type { Clock } from '@/lib/shared/clock';
import { isJsonObject, isNestedDeeper, type Json, type JsonObject, MAX_NESTING } from '@/lib/shared/json';
import type { ActivityFunction, ActivityProgress } from '@/server/ports/activity';
import type { CallPlace, InputRequired, McpFleet, ToolResult } from '@/server/ports/mcp-fleet';
import type { Telemetry } from '@/server/ports/telemetry';
import type { TraceContext } from '@/server/ports/tracing';
import { ASKED_TO_STOP, CallAbort } from '@/server/workers/engine/call-abort';
import type { CallDialogue } from '@/server/workers/engine/dialogue';
import {
  keepParts,
  type PayloadPolicy,
  resolveReferences,
  splitContent,
} from '@/server/workers/engine/payload-parts';

/** Facts of one attempt, in the form of the engine's events. */
export type AttemptOutcome =
  | { kind: 'completed'; output: Json; usage: JsonObject; server?: string }
  | {
      kind: 'failed';
      failure: Failure;
      ambiguous: boolean;
      retryAt?: number;
      /** What the server wants to know before it goes on; comes with INPUT_REQUIRED. */
      inputRequired?: InputRequired;
    };

export interface ActivityScope {
  organizationId: string;
  runId: string;
  /** Person whose credentials are used at servers that are declared so. */
  subject?: string | undefined;
  /** Fires when the call is cancelled, or the run leaves this process. */
  abort: CallAbort;
  /** Awaited before a tool call is sent. */
  beforeSending?: () => Promise<void>;
  /** A place at the server that is kept for the call. */
  place?: CallPlace;
  /** What the call says and asks while it is under way. */
  dialogue?: CallDialogue;
  /** The attempt's place in the run's trace. */
  trace?: TraceContext;
}

export interface ActivityDeps {
  fleet: McpFleet;
  functions: ReadonlyMap<string, ActivityFunction>;
  clock: Clock;
  telemetry: Telemetry;
  /** Told how calls get on; nothing of it is kept. */
  onProgress?: (facts: ActivityProgress) => void;
  /** Bytes of the largest answer of a tool that is taken into a history; any when left out. */
  maxPayloadBytes?: number;
  /** Keeps large parts of answers apart; everything stays in the history when left out. */
  payloads?: PayloadPolicy;
}

/**
 * Whether an attempt may be repeated when its outcome is unknown: the node's own setting first, then the tool's
 * readOnlyHint / idempotentHint. In-process functions are at-least-once, so repeatable unless the node says no.
 */
export async function isRetrySafe(
  deps: ActivityDeps,
  scope: ActivityScope,
  command: RunActivity,
): Promise<boolean> {
  if (command.idempotent !== undefined) return command.idempotent;
  if (command.target.kind === 'function') return true;
  const { server, tool: name } = command.target;
  return mayRepeat(await deps.fleet.tool(scope.organizationId, server, name, scope.subject));
}

/** What a tool itself says about being called twice. */
export function mayRepeat({ annotations }: Tool): boolean {
  return annotations.readOnlyHint === true || annotations.idempotentHint === true;
}

/** Carries out one attempt. Never throws. */
export async function runAttempt(
  deps: ActivityDeps,
  scope: ActivityScope,
  command: RunActivity,
): Promise<AttemptOutcome> {
  const begun = deps.clock.now();
  const outcome = await attempt(deps, scope, command);
  deps.telemetry.taskExecuted(command.target.kind, outcome.kind, (deps.clock.now() - begun) / 1000);
  return outcome;
}

async function attempt(
  deps: ActivityDeps,
  scope: ActivityScope,
  command: RunActivity,
): Promise<AttemptOutcome> {
  const { payloads, clock } = deps;
  let { input } = command;
  try {
    if (payloads !== undefined) input = await resolveReferences(payloads, scope, clock, input);
  } catch (error) {
    return failed(asFailure(error));
  }
  return command.target.kind === 'mcp'
    ? callTool(deps, scope, { ...command, input }, command.target)
    : callFunction(deps, scope, { ...command, input }, command.target.name);
}

async function callTool(
  { fleet, telemetry, clock, payloads, maxPayloadBytes = Number.POSITIVE_INFINITY }: ActivityDeps,
  scope: ActivityScope,
  command: RunActivity,
  { server, tool }: { server: string; tool: string },
): Promise<AttemptOutcome> {
  const begun = clock.now();
  const outcome = await fleet.call({
    organizationId: scope.organizationId,
    server,
    tool,
    arguments: isJsonObject(command.input) ? command.input : {},
    idempotencyKey: command.idempotencyKey,
    timeoutMs: command.timeoutMs,
    signal: scope.abort.signal,
    ...(scope.beforeSending === undefined ? {} : { beforeSending: scope.beforeSending }),
    ...(scope.place === undefined ? {} : { place: scope.place }),
    ...(scope.subject === undefined ? {} : { subject: scope.subject }),
    ...scope.dialogue,
    ...scope.trace,
  });
  if (!outcome.ok) {
    const { ambiguous, retryAt, inputRequired, ...failure } = outcome.failure;
    // A server that asks something first has not failed.
    const verdict = inputRequired === undefined ? 'error' : 'ok';
    telemetry.toolCalled(server, tool, verdict, (clock.now() - begun) / 1000);
    return {
      kind: 'failed',
      failure,
      ambiguous,
      ...(retryAt === undefined ? {} : { retryAt }),
      ...(inputRequired === undefined ? {} : { inputRequired }),
    };
  }
  const { result } = outcome;
  // JSON in the text is left out where it goes deeper, so it is content and structured content that do.
  if (isNestedDeeper(result.content) || isNestedDeeper(result.structuredContent)) {
    telemetry.toolCalled(server, tool, 'error', result.durationMs / 1000);
    const message = `${tool} of ${server} answered with data nested more than ${MAX_NESTING} levels deep.`;
    return failed({ code: 'INVALID_TOOL_RESULT', message, retriable: false });
  }
  telemetry.toolCalled(server, tool, result.isError ? 'tool_error' : 'ok', result.durationMs / 1000);
  const output = toolOutput(result);
  // A small answer is not looked into.
  const split =
    payloads === undefined || result.isError || result.bytesIn < payloads.thresholdBytes
      ? null
      : splitContent(result.content, payloads.thresholdBytes);
  if (split !== null) output.content = split.content;
  const tooLarge = sizeProblem(result.bytesIn, output, maxPayloadBytes, split && payloads?.maxMessageBytes);
  if (tooLarge !== null) {
    const message = `${tool} of ${server} answered with ${tooLarge}.`;
    return failed({ code: 'PAYLOAD_TOO_LARGE', message, retriable: false });
  }
  if (result.isError) {
    const message =
      typeof output.text === 'string' && output.text !== '' ? output.text : 'The tool reported an error.';
    return {
      kind: 'failed',
      failure: { code: 'TOOL_ERROR', message: message.slice(0, 2_000), retriable: false },
      ambiguous: false,
    };
  }
  try {
    if (payloads !== undefined && split !== null) await keepParts(payloads, scope, clock, split.parts);
  } catch (error) {
    return failed(asFailure(error));
  }
  return {
    kind: 'completed',
    output,
    usage: { durationMs: result.durationMs, bytesIn: result.bytesIn, bytesOut: result.bytesOut },
    server,
  };
}

/** What is too large about an answer, or null. What is kept apart counts for the message only, not for the history. */
function sizeProblem(
  bytesIn: number,
  output: JsonObject,
  maxPayloadBytes: number,
  maxMessageBytes: number | null | undefined,
): string | null {
  if (bytesIn <= maxPayloadBytes) return null;
  if (maxMessageBytes == null) return `${bytesIn} bytes; ${maxPayloadBytes} are allowed`;
  if (bytesIn > maxMessageBytes) return `${bytesIn} bytes; ${maxMessageBytes} are allowed`;
  const bytes = Buffer.byteLength(JSON.stringify(output));
  if (bytes <= maxPayloadBytes) return null;
  return `${bytes} bytes besides what is kept apart; ${maxPayloadBytes} are allowed`;
}

/** A tool's result as expressions see it: the content, its text joined, and JSON where there is some. */
export function toolOutput(result: ToolResult): JsonObject {
  const texts = result.content.flatMap((part) =>
    isJsonObject(part) && part.type === 'text' && typeof part.text === 'string' ? [part.text] : [],
  );
  const text = texts.join('\n');
  const output: JsonObject = { content: result.content, isError: result.isError, text };
  if (result.structuredContent !== null) output.structuredContent = result.structuredContent;
  const json = result.structuredContent ?? parsedJson(text);
  if (json !== undefined) output.json = json;
  return output;
}

function parsedJson(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const json = JSON.parse(text) as Json;
    return isNestedDeeper(json) ? undefined : json;
  } catch {
    return undefined;
  }
}

async function callFunction(
  deps: ActivityDeps,
  scope: ActivityScope,
  command: RunActivity,
  name: string,
): Promise<AttemptOutcome> {
  const run = deps.functions.get(name);
  if (!run) {
    return failed({
      code: 'ACTIVITY_FAILED',
      message: `There is no activity "${name}" in this process.`,
      retriable: false,
    });
  }
  const call = new FunctionCall(deps.clock, scope.abort, command.timeoutMs);
  try {
    const result = run(command.input, {
      organizationId: scope.organizationId,
      runId: scope.runId,
      nodePath: command.nodePath,
      attempt: command.attempt,
      idempotencyKey: command.idempotencyKey,
      get signal() {
        return call.signal;
      },
    });
    const output = result instanceof Promise ? await call.orAborted(result) : result;
    if (isNestedDeeper(output)) {
      const message = `The activity gave data nested more than ${MAX_NESTING} levels deep.`;
      return failed({ code: 'ACTIVITY_FAILED', message, retriable: false });
    }
    return { kind: 'completed', output: output ?? null, usage: {} };
  } catch (error) {
    if (call.expired) {
      const message = `The activity took longer than ${command.timeoutMs} ms.`;
      return { kind: 'failed', failure: { code: 'TIMEOUT', message, retriable: true }, ambiguous: true };
    }
    return failed(asFailure(error));
  } finally {
    call.end();
  }
}

/** The time limit and the cancellation of a function's call. A function that is over when it returns has neither. */
class FunctionCall {
  expired = false;
  private readonly own = new CallAbort();
  private readonly begun: number;
  private stopWatching: (() => void) | null = null;
  private giveUp: (() => void) | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly outer: CallAbort,
    private readonly timeoutMs: number,
  ) {
    this.begun = clock.now();
  }

  get signal(): AbortSignal {
    this.watch();
    return this.own.signal;
  }

  /**
   * The function's result, or an error as soon as its time is up or it is cancelled. One that is only asked to stop says
   * itself what became of it.
   */
  orAborted(result: Promise<Json>): Promise<Json> {
    this.watch();
    return new Promise((resolve, reject) => {
      const giveUp = () =>
        reject(Object.assign(new Error('The activity was cancelled.'), { code: 'CANCELLED' }));
      this.giveUp = giveUp;
      this.own.whenAborted(() => {
        if (this.own.reason !== ASKED_TO_STOP) giveUp();
      });
      result.then(resolve, reject);
    });
  }

  end(): void {
    this.stopWatching?.();
  }

  private watch(): void {
    if (this.stopWatching !== null) return;
    const cancelTimer = this.clock.at(this.begun + this.timeoutMs, () => {
      this.expired = true;
      this.own.abort('timeout');
      this.giveUp?.();
    });
    const leave = this.outer.whenAborted(() => this.own.abort(this.outer.reason));
    this.stopWatching = () => {
      cancelTimer();
      leave();
    };
  }
}

/** An error thrown by an activity, or by looking its tool up, as a failure. */
export function asFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (isAppError(error)) return { code: error.code, message, retriable: error.entry.retriable };
  const { code, retriable } = error as { code?: unknown; retriable?: unknown };
  return {
    code: typeof code === 'string' ? code : 'ACTIVITY_FAILED',
    message,
    ...(typeof retriable === 'boolean' ? { retriable } : {}),
  };
}

function failed(failure: Failure): AttemptOutcome {
  return { kind: 'failed', failure, ambiguous: false };
}
