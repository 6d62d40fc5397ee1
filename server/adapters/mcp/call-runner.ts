import { setMaxListeners } from 'node:events';
import { type CallToolResult, type InputRequiredResult, SdkHttpError } from '@modelcontextprotocol/client';
import type { ServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import type { Json, JsonObject } from '@/lib/shared/json';
import { type CallRecord, newCallRecord } from '@/server/adapters/mcp/call-meter';
import type { Connection } from '@/server/adapters/mcp/connection';
import { failed, failedBeforeSending, failedCall } from '@/server/adapters/mcp/failures';
import { answersOf, isInputRequired, roundOf, urlRound } from '@/server/adapters/mcp/input-requests';
import { PausableDeadline } from '@/server/adapters/mcp/pausable-deadline';
import { type ConnectionPool, type Lease, type PoolKey, raceAbort } from '@/server/adapters/mcp/pool';
import type { SecretValues } from '@/server/adapters/mcp/secret-values';
import type { ServerState } from '@/server/adapters/mcp/server-state';
import { followTask } from '@/server/adapters/mcp/task-follower';
import { taskOf } from '@/server/adapters/mcp/task-states';
import type { ToolEntry } from '@/server/adapters/mcp/tool-catalogue';
import type {
  InputAnswer,
  InputRequest,
  InputRequired,
  SamplingAnswerer,
  ServerTask,
  ToolCall,
  ToolFailure,
  ToolOutcome,
} from '@/server/ports/mcp-fleet';

const LOG_LINES_IN_FAILURE = 5;
/** A server that asks more often than this for one call is stopped. */
const MAX_ROUNDS = 10;

/** What a call runs on. */
export interface CallEnvironment {
  state: ServerState;
  config: ServerConfig;
  key: PoolKey;
  pool: ConnectionPool;
  clock: Clock;
  /** Milliseconds to read a tool list again. */
  listTimeoutMs: number;
  /** The language model that is set up for sampling, if any. */
  sampling: SamplingAnswerer | undefined;
}

/** Runs one call to its outcome: queue, breaker, connection, check, send, check. Never throws. */
export async function runCall(call: ToolCall, env: CallEnvironment): Promise<ToolOutcome> {
  const attempt = new CallAttempt(discreet(call, env.state.secrets), env);
  try {
    const outcome = await attempt.run();
    return outcome.ok
      ? env.state.secrets.json(outcome)
      : { ok: false, failure: cleared(outcome.failure, env) };
  } finally {
    attempt.end();
  }
}

/** The call with whatever its server says in the meantime cleared of secrets. */
function discreet(call: ToolCall, secrets: SecretValues): ToolCall {
  const { onProgress, onInputRequired } = call;
  return {
    ...call,
    ...(onProgress === undefined ? {} : { onProgress: (progress) => onProgress(secrets.json(progress)) }),
    ...(onInputRequired === undefined
      ? {}
      : {
          onInputRequired: (input, signal) =>
            onInputRequired({ ...input, requests: secrets.json(input.requests) }, signal),
        }),
  };
}

/** A failure without secrets. What goes back to the server with the answers stays as the server gave it. */
function cleared({ inputRequired, ...failure }: ToolFailure, { state }: CallEnvironment): ToolFailure {
  const { secrets } = state;
  return {
    ...secrets.json(failure),
    ...(inputRequired === undefined
      ? {}
      : { inputRequired: { ...inputRequired, requests: secrets.json(inputRequired.requests) } }),
  };
}

/** One call on its way, with the two things that can end it early: its deadline and the caller. */
class CallAttempt {
  private readonly controller = new AbortController();
  private record: CallRecord = newCallRecord();
  /** What the server made of this call, if it is a task. */
  private task: ServerTask | undefined;
  private readonly deadline: PausableDeadline;
  private readonly onCancel = () => this.controller.abort('cancelled');

  constructor(
    private readonly call: ToolCall,
    private readonly env: CallEnvironment,
  ) {
    this.deadline = new PausableDeadline(env.clock, call.timeoutMs, () => this.controller.abort('timed out'));
    // One signal may stand for many calls (a draining process): that is no leak to warn of.
    setMaxListeners(0, call.signal);
    call.signal.addEventListener('abort', this.onCancel, { once: true });
    if (call.signal.aborted) this.onCancel();
  }

  end(): void {
    this.deadline.end();
    this.call.signal.removeEventListener('abort', this.onCancel);
  }

  async run(): Promise<ToolOutcome> {
    const { state, config } = this.env;
    const { signal } = this.controller;
    const wait = state.breaker.retryAt();
    if (wait !== undefined) return this.refused(wait);
    const limiter = state.limiter(config);
    const { place } = this.call;
    const rate = place === undefined ? state.rate(config) : undefined;
    let release = place?.release ?? (rate === undefined ? limiter.tryAcquire() : undefined);
    if (signal.aborted || release === undefined) {
      try {
        await rate?.take(signal);
        release ??= await limiter.acquire(signal);
      } catch {
        return this.aborted();
      }
    }
    try {
      return await state.breaker.run(
        () => this.attempt(),
        (retryAt) => this.refused(retryAt),
      );
    } finally {
      release();
    }
  }

  private async attempt(again = true): Promise<ToolOutcome> {
    const { pool, key, config } = this.env;
    const { signal } = this.controller;
    if (signal.aborted) return this.aborted();
    let lease: Lease | undefined;
    try {
      lease = pool.tryAcquire(key, config) ?? (await pool.acquire(key, config, signal));
      return await this.onConnection(lease.connection);
    } catch (error) {
      if (signal.aborted) return this.aborted();
      if (lease !== undefined && again && error instanceof SessionLost) {
        pool.discard(key, lease.connection);
        return this.attempt(false);
      }
      return failedBeforeSending(error);
    } finally {
      lease?.release();
    }
  }

  private async onConnection(connection: Connection): Promise<ToolOutcome> {
    const { call } = this;
    const { signal } = this.controller;
    const tools =
      connection.knownTools() ?? (await raceAbort(connection.listTools(this.env.listTimeoutMs), signal));
    const entry = tools.get(call.tool);
    if (entry === undefined) {
      return failed('TOOL_NOT_FOUND', `${call.server} has no tool ${call.tool}.`, false);
    }
    const { guard } = this.env.state;
    const change =
      guard.blockedBy(call.tool) === undefined ? undefined : await guard.stillBlockedBy(call.tool);
    if (change !== undefined) {
      return failed(
        'TOOL_BLOCKED',
        `The definition of ${call.tool} changed and was not accepted yet.`,
        false,
        {
          details: change as unknown as Json,
        },
      );
    }
    const problem = entry.checkInput(call.arguments);
    if (problem !== undefined) {
      return failed(
        'INVALID_TOOL_ARGUMENTS',
        `${call.tool}: ${problem.path || '/'} ${problem.message}.`,
        false,
        {
          details: { path: problem.path || '/', message: problem.message },
        },
      );
    }
    await call.beforeSending?.();
    if (signal.aborted) return this.aborted();
    const leave = connection.era === 'legacy' ? connection.calls.enter(this.answerOne) : undefined;
    try {
      return await this.rounds(connection, entry);
    } finally {
      leave?.();
    }
  }

  /** Sends the call, again with answers each time that the server asks for something first. */
  private async rounds(connection: Connection, entry: ToolEntry): Promise<ToolOutcome> {
    const { call } = this;
    const { resume } = call;
    // Made before the session was lost: the task is the server's, and may have outlived it.
    if (this.task !== undefined) return this.follow(this.task, connection, entry);
    if (resume?.input.taskId !== undefined) {
      const task = { taskId: resume.input.taskId, pollIntervalMs: 0, ttlMs: null };
      return this.follow(task, connection, entry, resume);
    }
    let answered = call.resume === undefined ? undefined : await this.resumed(call.resume);
    for (let round = 0; round <= MAX_ROUNDS; round++) {
      const started = performance.now();
      let result: CallToolResult | InputRequiredResult;
      try {
        result = await connection.call(call, entry, this.record, this.controller.signal, answered);
      } catch (error) {
        const asked = urlRound(error);
        if (asked === undefined || this.controller.signal.aborted) return this.broken(error, connection);
        this.record = newCallRecord();
        const answers = await this.ask(asked);
        if (answers === undefined) return this.parked(asked);
        if (!Object.values(answers).every(({ action }) => action === 'accept')) {
          return failed('TOOL_ERROR', `${call.tool} of ${call.server} was refused what it asked for.`, false);
        }
        answered = undefined;
        continue;
      }
      const task = this.record.task === undefined ? undefined : taskOf(this.record.task);
      if (task !== undefined) {
        await call.onTask?.(task);
        return this.follow(task, connection, entry);
      }
      if (!isInputRequired(result)) return this.accept(result, entry, performance.now() - started);
      // Nothing is under way at the server until the answers are sent.
      this.record = newCallRecord();
      const next = roundOf(result, this.env.config);
      const answers = next.requests.length === 0 ? {} : await this.ask(next);
      if (answers === undefined) return this.parked(next);
      answered = answersOf(next, answers);
    }
    return failed('PROTOCOL_ERROR', `${call.server} asked for input more than ${MAX_ROUNDS} times.`, false);
  }

  /** Follows the task that the server made of the call. */
  private async follow(
    task: ServerTask,
    connection: Connection,
    entry: ToolEntry,
    first?: NonNullable<ToolCall['resume']>,
  ): Promise<ToolOutcome> {
    const { call, env } = this;
    const started = performance.now();
    // The work goes on at the server: should the call end early, its outcome is unknown.
    this.record.sent = true;
    this.task = task;
    if (connection.era === 'legacy') connection.calls.follow(task.taskId, this.answerOne);
    try {
      const context = {
        connection,
        config: env.config,
        clock: env.clock,
        server: call.server,
        tool: call.tool,
        signal: this.controller.signal,
        ask: (input: InputRequired) => this.ask(input),
        parked: (input: InputRequired) => this.parked(input),
        accept: (result: CallToolResult) => this.accept(result, entry, performance.now() - started),
        onProgress: call.onProgress,
      };
      return await followTask(task, context, first);
    } catch (error) {
      return this.broken(error, connection);
    }
  }

  /** The answers that a call is taken up again with; what a model is to answer was left for now. */
  private async resumed({
    input,
    answers,
  }: NonNullable<ToolCall['resume']>): Promise<ReturnType<typeof answersOf>> {
    const complete = { ...answers };
    for (const request of input.requests) {
      if (request.kind !== 'sampling' || complete[request.key] !== undefined) continue;
      if (this.env.config.sampling === 'endpoint')
        complete[request.key] = await this.askModel(request.params);
    }
    return answersOf(input, complete);
  }

  /** The answers of whoever makes the call; undefined when the call is to wait for them elsewhere. */
  private async ask(input: InputRequired): Promise<Record<string, InputAnswer> | undefined> {
    const { onInputRequired } = this.call;
    const forModel = this.env.config.sampling === 'endpoint' ? input.requests.filter(isSampling) : [];
    const others = input.requests.filter((request) => !(forModel as InputRequest[]).includes(request));
    if (others.length > 0 && onInputRequired === undefined) return undefined;
    this.deadline.pause();
    try {
      const answers =
        others.length === 0
          ? {}
          : await onInputRequired?.({ ...input, requests: others }, this.controller.signal);
      if (answers === undefined || answers === 'park') return undefined;
      for (const { key, params } of forModel) answers[key] = await this.askModel(params);
      return answers;
    } catch (error) {
      // Whoever was to answer gave up: the call waits for another, unless it is over itself.
      if (this.controller.signal.aborted) throw error;
      return undefined;
    } finally {
      this.deadline.resume();
    }
  }

  /** The answer of the model that is set up; a refusal when there is none or it fails. */
  private async askModel(params: JsonObject): Promise<InputAnswer> {
    const { sampling, state, clock } = this.env;
    if (sampling === undefined) return { action: 'decline' };
    try {
      return { action: 'result', result: await sampling(params, this.controller.signal) };
    } catch (error) {
      if (this.controller.signal.aborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      state.log.add(clock.now(), 'client', `the language model did not answer: ${reason}`);
      return { action: 'decline' };
    }
  }

  /** A question of the 2025 era, inside the open request. */
  private readonly answerOne = async (request: InputRequest, signal: AbortSignal): Promise<InputAnswer> => {
    const taskId = this.task?.taskId;
    const input: InputRequired = {
      requests: [request],
      durable: false,
      ...(taskId === undefined ? {} : { taskId }),
    };
    const answers = await raceAbort(this.ask(input), signal);
    return answers?.[request.key] ?? { action: 'decline' };
  };

  private parked(inputRequired: InputRequired): ToolOutcome {
    const outcome = failed(
      'INPUT_REQUIRED',
      `${this.call.tool} of ${this.call.server} needs input to go on.`,
      false,
    );
    return { ok: false, failure: { ...outcome.failure, inputRequired } };
  }

  private broken(error: unknown, connection: Connection): ToolOutcome {
    const { call, record, env } = this;
    if (this.controller.signal.aborted) return this.aborted();
    // 404 within a session means that the server has forgotten it and did not look at the request.
    if (error instanceof SdkHttpError && error.status === 404 && connection.hasSession)
      throw new SessionLost();
    const { endedBy } = connection;
    const log = endedBy === undefined ? '' : env.state.log.tail(LOG_LINES_IN_FAILURE);
    return failedCall(error, { server: call.server, tool: call.tool, sent: record.sent, endedBy, log });
  }

  private accept(result: CallToolResult, entry: ToolEntry, durationMs: number): ToolOutcome {
    const { call, record } = this;
    const isError = result.isError === true;
    const structured = result.structuredContent as Json | undefined;
    if (!isError && entry.checkOutput !== null) {
      const problem =
        structured === undefined
          ? { path: '', message: 'is missing although the tool promises structured content' }
          : entry.checkOutput(structured);
      if (problem !== undefined) {
        const where = `${problem.path || '/'} ${problem.message}`;
        return failed(
          'INVALID_TOOL_RESULT',
          `The result of ${call.tool} breaks its schema: ${where}.`,
          false,
          {
            details: { path: problem.path || '/', message: problem.message },
          },
        );
      }
    }
    return {
      ok: true,
      result: {
        isError,
        content: result.content as unknown as Json[],
        structuredContent: structured ?? null,
        durationMs,
        bytesOut: record.bytesOut,
        bytesIn: record.bytesIn,
      },
    };
  }

  private aborted(): ToolOutcome {
    const { call, record } = this;
    if (this.call.signal.aborted) {
      return failed('CANCELLED', `The call of ${call.tool} was cancelled.`, record.sent);
    }
    const what = record.sent
      ? `${call.server} did not answer ${call.tool}`
      : `${call.tool} of ${call.server} could not be sent`;
    return failed('TIMEOUT', `${what} within ${call.timeoutMs} ms.`, record.sent);
  }

  private refused(retryAt: number): ToolOutcome {
    const at = new Date(retryAt).toISOString();
    return failed(
      'CIRCUIT_OPEN',
      `${this.call.server} failed repeatedly; calls are held back until ${at}.`,
      false,
      { retryAt },
    );
  }
}

function isSampling(request: InputRequest): request is Extract<InputRequest, { kind: 'sampling' }> {
  return request.kind === 'sampling';
}

/** The server has forgotten the session: the call was not looked at and can be sent on a new one. */
class SessionLost extends Error {}
