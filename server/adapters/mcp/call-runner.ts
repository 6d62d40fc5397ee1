import { setMaxListeners } from 'node:events';
import type { CallToolResult } from '@modelcontextprotocol/client';
import type { ServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import type { Json } from '@/lib/shared/json';
import { type CallRecord, newCallRecord } from '@/server/adapters/mcp/call-meter';
import type { Connection } from '@/server/adapters/mcp/connection';
import { failed, failedBeforeSending, failedCall } from '@/server/adapters/mcp/failures';
import { type ConnectionPool, type PoolKey, raceAbort } from '@/server/adapters/mcp/pool';
import type { ServerState } from '@/server/adapters/mcp/server-state';
import type { ToolEntry } from '@/server/adapters/mcp/tool-catalogue';
import type { ToolCall, ToolOutcome } from '@/server/ports/mcp-fleet';

const LOG_LINES_IN_FAILURE = 5;

/** What a call runs on. */
export interface CallEnvironment {
  state: ServerState;
  config: ServerConfig;
  key: PoolKey;
  pool: ConnectionPool;
  clock: Clock;
  /** Milliseconds to read a tool list again. */
  listTimeoutMs: number;
}

/** Runs one call to its outcome: queue, breaker, connection, check, send, check. Never throws. */
export async function runCall(call: ToolCall, env: CallEnvironment): Promise<ToolOutcome> {
  const attempt = new CallAttempt(call, env);
  try {
    return await attempt.run();
  } finally {
    attempt.end();
  }
}

/** One call on its way, with the two things that can end it early: its deadline and the caller. */
class CallAttempt {
  private readonly controller = new AbortController();
  private readonly record: CallRecord = newCallRecord();
  private readonly cancelDeadline: () => void;
  private readonly onCancel = () => this.controller.abort('cancelled');

  constructor(
    private readonly call: ToolCall,
    private readonly env: CallEnvironment,
  ) {
    this.cancelDeadline = env.clock.at(env.clock.now() + call.timeoutMs, () =>
      this.controller.abort('timed out'),
    );
    // One signal may stand for many calls (a draining process): that is no leak to warn of.
    setMaxListeners(0, call.signal);
    call.signal.addEventListener('abort', this.onCancel, { once: true });
    if (call.signal.aborted) this.onCancel();
  }

  end(): void {
    this.cancelDeadline();
    this.call.signal.removeEventListener('abort', this.onCancel);
  }

  async run(): Promise<ToolOutcome> {
    const { state, config } = this.env;
    const { signal } = this.controller;
    const wait = state.breaker.retryAt();
    if (wait !== undefined) return this.refused(wait);
    const limiter = state.limiter(config);
    let release = limiter.tryAcquire();
    if (signal.aborted || release === undefined) {
      try {
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

  private async attempt(): Promise<ToolOutcome> {
    const { pool, key, config } = this.env;
    const { signal } = this.controller;
    if (signal.aborted) return this.aborted();
    try {
      const lease = pool.tryAcquire(key, config) ?? (await pool.acquire(key, config, signal));
      try {
        return await this.onConnection(lease.connection);
      } finally {
        lease.release();
      }
    } catch (error) {
      return signal.aborted ? this.aborted() : failedBeforeSending(error);
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
    return this.send(connection, entry);
  }

  private async send(connection: Connection, entry: ToolEntry): Promise<ToolOutcome> {
    const { call, record } = this;
    const { signal } = this.controller;
    const started = performance.now();
    let result: CallToolResult;
    try {
      result = await connection.call(call, entry, record, signal);
    } catch (error) {
      if (signal.aborted) return this.aborted();
      const { endedBy } = connection;
      const log = endedBy === undefined ? '' : this.env.state.log.tail(LOG_LINES_IN_FAILURE);
      return failedCall(error, { server: call.server, tool: call.tool, sent: record.sent, endedBy, log });
    }
    return this.accept(result, entry, performance.now() - started);
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
        return failed(
          'INVALID_TOOL_RESULT',
          `The result of ${call.tool} breaks its schema: ${problem.path || '/'} ${problem.message}.`,
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
