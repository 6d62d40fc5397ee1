import type { ServerDetail, ServerSummary, Tool } from '@/lib/protocol/api';
import { AppError } from '@/lib/protocol/errors';
import type { Clock } from '@/lib/shared/clock';
import type { Json, JsonObject } from '@/lib/shared/json';
import { CallStats } from '@/server/adapters/mcp/call-stats';
import { failed } from '@/server/adapters/mcp/failures';
import { compileSchema, type SchemaCheck } from '@/server/adapters/mcp/schema-check';
import type {
  CallPlace,
  McpFleet,
  ToolCall,
  ToolFailure,
  ToolOutcome,
  ToolResult,
} from '@/server/ports/mcp-fleet';

/** What a scripted tool answers: a value, or a failure to be handed on as it is. */
export type ScriptedAnswer = { value: Json; isError?: boolean } | { failure: ToolFailure };

/** A tool whose behaviour is a function. */
export interface ScriptedTool {
  description?: string;
  inputSchema?: JsonObject;
  annotations?: Tool['annotations'];
  /** `signal` is aborted at the timeout and when the caller cancels. */
  run: (
    args: JsonObject,
    call: { idempotencyKey: string; signal: AbortSignal },
  ) => ScriptedAnswer | Promise<ScriptedAnswer>;
}

/** The servers of one organisation: name → tool name → tool. */
export type ScriptedServers = Record<string, Record<string, ScriptedTool>>;

interface MemoryServer {
  name: string;
  tools: Map<string, { tool: Tool; check: SchemaCheck; run: ScriptedTool['run'] }>;
  stats: CallStats;
  connected: boolean;
}

/** The fleet's twin for tests and simulation: no process, no network, time only from the clock given. */
export class MemoryMcpFleet implements McpFleet {
  private readonly servers = new Map<string, MemoryServer>();
  private closed = false;

  constructor(
    private readonly organizationId: string,
    scripted: ScriptedServers,
    private readonly clock: Clock,
  ) {
    for (const [name, tools] of Object.entries(scripted)) this.servers.set(name, memoryServer(name, tools));
  }

  async list(organizationId: string): Promise<ServerSummary[]> {
    if (organizationId !== this.organizationId) return [];
    return [...this.servers.values()].map((server) => summary(server));
  }

  async inspect(organizationId: string, server: string): Promise<ServerDetail> {
    const found = this.find(organizationId, server);
    found.connected = true;
    const toolList = [...found.tools.values()].map((entry) => entry.tool);
    return { ...summary(found), version: '0.0.0', instructions: null, toolList };
  }

  async tool(organizationId: string, server: string, tool: string): Promise<Tool> {
    const entry = this.find(organizationId, server).tools.get(tool);
    if (entry === undefined) throw new AppError('TOOL_NOT_FOUND', `${server} has no tool ${tool}.`);
    return entry.tool;
  }

  keepPlace(organizationId: string, server: string, tool: string): CallPlace | undefined {
    const found = organizationId === this.organizationId ? this.servers.get(server) : undefined;
    const entry = found?.connected === true && !this.closed ? found.tools.get(tool) : undefined;
    return entry && { tool: entry.tool, release() {} };
  }

  async call(call: ToolCall): Promise<ToolOutcome> {
    if (this.closed) return failed('SHUTTING_DOWN', 'The process is shutting down.', false);
    const server = call.organizationId === this.organizationId ? this.servers.get(call.server) : undefined;
    if (server === undefined) return failed('SERVER_NOT_FOUND', `There is no server ${call.server}.`, false);
    if (call.signal.aborted) return failed('CANCELLED', `The call of ${call.tool} was cancelled.`, false);
    server.connected = true;
    await call.beforeSending?.();
    if (call.signal.aborted) return failed('CANCELLED', `The call of ${call.tool} was cancelled.`, false);
    const started = this.clock.now();
    const outcome = await this.run(server, call);
    server.stats.record(this.clock.now() - started, !outcome.ok || outcome.result.isError);
    if (!outcome.ok && outcome.failure.code !== 'CANCELLED') server.stats.lastError = outcome.failure.message;
    return outcome;
  }

  async cancelTask(): Promise<void> {}

  async logs(organizationId: string, server: string): Promise<[]> {
    this.find(organizationId, server);
    return [];
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  private find(organizationId: string, server: string): MemoryServer {
    const found = organizationId === this.organizationId ? this.servers.get(server) : undefined;
    if (found === undefined) throw new AppError('SERVER_NOT_FOUND', `There is no server ${server}.`);
    return found;
  }

  private async run(server: MemoryServer, call: ToolCall): Promise<ToolOutcome> {
    const entry = server.tools.get(call.tool);
    if (entry === undefined)
      return failed('TOOL_NOT_FOUND', `${call.server} has no tool ${call.tool}.`, false);
    const problem = entry.check(call.arguments);
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
    const controller = new AbortController();
    const onAbort = () => controller.abort('cancelled');
    call.signal.addEventListener('abort', onAbort, { once: true });
    const started = this.clock.now();
    const cancelTimer = this.clock.at(started + call.timeoutMs, () => controller.abort('timed out'));
    try {
      const answer = await Promise.race([
        Promise.resolve(
          entry.run(call.arguments, { idempotencyKey: call.idempotencyKey, signal: controller.signal }),
        ),
        new Promise<never>((_resolve, reject) => {
          controller.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
        }),
      ]);
      if ('failure' in answer) return { ok: false, failure: answer.failure };
      return { ok: true, result: toResult(answer, call, this.clock.now() - started) };
    } catch (error) {
      if (call.signal.aborted) return failed('CANCELLED', `The call of ${call.tool} was cancelled.`, true);
      if (controller.signal.aborted) {
        return failed(
          'TIMEOUT',
          `${call.server} did not answer ${call.tool} within ${call.timeoutMs} ms.`,
          true,
        );
      }
      const message = error instanceof Error ? error.message : String(error);
      return {
        ok: true,
        result: toResult({ value: message, isError: true }, call, this.clock.now() - started),
      };
    } finally {
      cancelTimer();
      call.signal.removeEventListener('abort', onAbort);
    }
  }
}

function memoryServer(name: string, scripted: Record<string, ScriptedTool>): MemoryServer {
  const tools: MemoryServer['tools'] = new Map();
  for (const [toolName, { description, inputSchema, annotations, run }] of Object.entries(scripted)) {
    const schema = inputSchema ?? { type: 'object' };
    const tool: Tool = {
      name: toolName,
      title: null,
      description: description ?? null,
      inputSchema: schema,
      outputSchema: null,
      annotations: annotations ?? {},
    };
    tools.set(toolName, { tool, check: compileSchema(schema).check, run });
  }
  return { name, tools, stats: new CallStats(), connected: false };
}

function summary(server: MemoryServer): ServerSummary {
  return {
    name: server.name,
    title: null,
    transport: 'stdio',
    target: 'in memory',
    status: server.connected ? 'connected' : 'idle',
    protocolVersion: null,
    tools: server.connected ? server.tools.size : null,
    calls: server.stats.calls,
    errors: server.stats.errors,
    latencyMs: server.stats.latency(),
    lastError: server.stats.lastError,
  };
}

function toResult(
  answer: { value: Json; isError?: boolean },
  call: ToolCall,
  durationMs: number,
): ToolResult {
  const text = typeof answer.value === 'string' ? answer.value : JSON.stringify(answer.value);
  const structured =
    typeof answer.value === 'object' && answer.value !== null && !Array.isArray(answer.value);
  return {
    isError: answer.isError ?? false,
    content: [{ type: 'text', text }],
    structuredContent: structured ? answer.value : null,
    durationMs,
    bytesOut: JSON.stringify(call.arguments).length,
    bytesIn: text.length,
  };
}
