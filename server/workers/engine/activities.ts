import type { RunActivity } from '@/lib/engine/commands';
import { isAppError } from '@/lib/protocol/errors';
import type { Failure } from '@/lib/protocol/run';
import type { Clock } from '@/lib/shared/clock';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';
import type { ActivityFunction, ActivityProgress } from '@/server/ports/activity';
import type { InputRequired, McpFleet, ToolResult } from '@/server/ports/mcp-fleet';
import type { Telemetry } from '@/server/ports/telemetry';
import type { CallDialogue } from '@/server/workers/engine/dialogue';

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
  signal: AbortSignal;
  /** Awaited before a tool call is sent. */
  beforeSending?: () => Promise<void>;
  /** What the call says and asks while it is under way. */
  dialogue?: CallDialogue;
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
  const tool = await deps.fleet.tool(scope.organizationId, command.target.server, command.target.tool);
  return tool.annotations.readOnlyHint === true || tool.annotations.idempotentHint === true;
}

/** Carries out one attempt. Never throws. */
export async function runAttempt(
  deps: ActivityDeps,
  scope: ActivityScope,
  command: RunActivity,
): Promise<AttemptOutcome> {
  const begun = deps.clock.now();
  const outcome = await (command.target.kind === 'mcp'
    ? callTool(deps, scope, command, command.target)
    : callFunction(deps, scope, command, command.target.name));
  deps.telemetry.taskExecuted(command.target.kind, outcome.kind, (deps.clock.now() - begun) / 1000);
  return outcome;
}

async function callTool(
  { fleet, telemetry, maxPayloadBytes = Number.POSITIVE_INFINITY }: ActivityDeps,
  scope: ActivityScope,
  command: RunActivity,
  { server, tool }: { server: string; tool: string },
): Promise<AttemptOutcome> {
  const outcome = await fleet.call({
    organizationId: scope.organizationId,
    server,
    tool,
    arguments: isJsonObject(command.input) ? command.input : {},
    idempotencyKey: command.idempotencyKey,
    timeoutMs: command.timeoutMs,
    signal: scope.signal,
    ...(scope.beforeSending === undefined ? {} : { beforeSending: scope.beforeSending }),
    ...scope.dialogue,
  });
  if (!outcome.ok) {
    const { ambiguous, retryAt, inputRequired, ...failure } = outcome.failure;
    telemetry.toolCalled(server, tool, 'error', 0);
    return {
      kind: 'failed',
      failure,
      ambiguous,
      ...(retryAt === undefined ? {} : { retryAt }),
      ...(inputRequired === undefined ? {} : { inputRequired }),
    };
  }
  const { result } = outcome;
  telemetry.toolCalled(server, tool, result.isError ? 'tool_error' : 'ok', result.durationMs / 1000);
  if (result.bytesIn > maxPayloadBytes) {
    const message = `${tool} of ${server} answered with ${result.bytesIn} bytes; ${maxPayloadBytes} are allowed.`;
    return failed({ code: 'PAYLOAD_TOO_LARGE', message, retriable: false });
  }
  const output = toolOutput(result);
  if (result.isError) {
    const message =
      typeof output.text === 'string' && output.text !== '' ? output.text : 'The tool reported an error.';
    return {
      kind: 'failed',
      failure: { code: 'TOOL_ERROR', message: message.slice(0, 2_000), retriable: false },
      ambiguous: false,
    };
  }
  return {
    kind: 'completed',
    output,
    usage: { durationMs: result.durationMs, bytesIn: result.bytesIn, bytesOut: result.bytesOut },
    server,
  };
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
    return JSON.parse(text) as Json;
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
  const timeout = new AbortController();
  let expired = false;
  const cancelTimer = deps.clock.at(deps.clock.now() + command.timeoutMs, () => {
    expired = true;
    timeout.abort();
  });
  const onAbort = () => timeout.abort();
  scope.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const result = run(command.input, {
      organizationId: scope.organizationId,
      runId: scope.runId,
      nodePath: command.nodePath,
      attempt: command.attempt,
      idempotencyKey: command.idempotencyKey,
      signal: timeout.signal,
    });
    const output = result instanceof Promise ? await Promise.race([result, aborted(timeout.signal)]) : result;
    return { kind: 'completed', output: output ?? null, usage: {} };
  } catch (error) {
    if (expired) {
      const message = `The activity took longer than ${command.timeoutMs} ms.`;
      return { kind: 'failed', failure: { code: 'TIMEOUT', message, retriable: true }, ambiguous: true };
    }
    return failed(asFailure(error));
  } finally {
    cancelTimer();
    scope.signal.removeEventListener('abort', onAbort);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const give = () => reject(Object.assign(new Error('The activity was cancelled.'), { code: 'CANCELLED' }));
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
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
