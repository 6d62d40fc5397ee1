import {
  type CallToolResult,
  Client,
  type ClientCapabilities,
  type InputRequiredResult,
  type PriorDiscovery,
  type Transport,
} from '@modelcontextprotocol/client';
import type { z } from 'zod';
import type { JsonObject } from '@/lib/shared/json';
import { type CallMeter, type CallRecord, markParams } from '@/server/adapters/mcp/call-meter';
import type { CallsInFlight } from '@/server/adapters/mcp/server-questions';
import { type ToolEntry, toolEntry } from '@/server/adapters/mcp/tool-catalogue';
import type { ToolCall } from '@/server/ports/mcp-fleet';

/** The SDK's own timer never fires before ours: timeouts are counted by the caller, who can stop the count. */
const NEVER_MS = 2_000_000_000;
/** A server of 2025 that ignores what it does not know is given up on as a modern one after so long. */
const PROBE_MS = 10_000;
/** News of tasks are listened to from this poll interval on, and for so many tasks of a connection at once. */
const LISTEN_FROM_MS = 1_000;
const MAX_LISTENING = 16;
/** A server that lists tools without end is cut off here (pages, not tools). */
const MAX_TOOL_PAGES = 200;

/** `_meta` key of the idempotency key: our own namespace, as the specification asks for. */
const IDEMPOTENCY_META_KEY = 'ai.openconductor/idempotencyKey';

/** A transport that tells what passes over it and why it ended. */
export interface MeteredTransport extends Transport {
  readonly meter: CallMeter;
  readonly endedBy: string | undefined;
}

/** What opening a connection needs. */
export interface ConnectOptions {
  transport: MeteredTransport;
  client: { name: string; version: string };
  capabilities: ClientCapabilities;
  /** Milliseconds for each step of the handshake. */
  timeoutMs: number;
  /** Ends the attempt. */
  signal: AbortSignal;
  /** What is known of the server's protocol era: saves the probe. */
  prior?: PriorDiscovery;
  note: (message: string) => void;
  /** Registers what answers the server's own requests; gives the place where calls in flight are entered. */
  prepare: (client: Client) => CallsInFlight;
  /** Told each time the tools have been read, before any of them is called. */
  onTools: (tools: Map<string, ToolEntry>) => void | Promise<void>;
}

/** One open MCP session. Made by `openConnection`; who uses it and when it closes is the pool's business. */
export class Connection {
  private tools: Map<string, ToolEntry> | undefined;
  private refreshing: Promise<Map<string, ToolEntry>> | undefined;
  private stale = false;
  private ended = false;
  private listening = 0;
  private readonly onEnded: Array<() => void> = [];

  constructor(
    private readonly client: Client,
    private readonly transport: MeteredTransport,
    private readonly options: ConnectOptions,
    /** Calls that a question of the server can belong to. */
    readonly calls: CallsInFlight,
  ) {
    client.onclose = () => {
      this.ended = true;
      for (const listener of this.onEnded.splice(0)) listener();
    };
  }

  get closed(): boolean {
    return this.ended;
  }

  get endedBy(): string | undefined {
    return this.transport.endedBy;
  }

  get era(): 'modern' | 'legacy' {
    return this.client.getProtocolEra() === 'modern' ? 'modern' : 'legacy';
  }

  get protocolVersion(): string | null {
    return this.client.getNegotiatedProtocolVersion() ?? null;
  }

  get serverVersion(): string | null {
    return this.client.getServerVersion()?.version ?? null;
  }

  get instructions(): string | null {
    return this.client.getInstructions() ?? null;
  }

  /** Calls `listener` when the connection has ended, at once if it has already. */
  whenEnded(listener: () => void): void {
    if (this.ended) listener();
    else this.onEnded.push(listener);
  }

  /** The tool list is out of date: read again before its next use. */
  markStale(): void {
    this.stale = true;
    // Read at once, not at the next call: what changed is news for the feed.
    this.listTools(this.options.timeoutMs).catch((error: unknown) => {
      this.options.note(
        `reading the tools again failed: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  }

  /** The tools by name when the list is at hand and current, so that a call needs no turn of the event loop. */
  knownTools(): Map<string, ToolEntry> | undefined {
    return this.stale ? undefined : this.tools;
  }

  /** The tools by name, read from the server when needed; readers at the same time share one request. */
  async listTools(timeoutMs: number): Promise<Map<string, ToolEntry>> {
    const known = this.knownTools();
    if (known !== undefined) return known;
    this.refreshing ??= this.readTools(timeoutMs).finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  /** Sends one call and waits for its answer; how long is decided by `signal` alone. */
  async call(
    call: ToolCall,
    entry: ToolEntry,
    record: CallRecord,
    signal: AbortSignal,
    round?: { inputResponses: Record<string, JsonObject>; requestState?: string },
  ): Promise<CallToolResult | InputRequiredResult> {
    const meta: Record<string, unknown> = { [IDEMPOTENCY_META_KEY]: call.idempotencyKey };
    if (call.traceparent !== undefined) meta.traceparent = call.traceparent;
    if (call.tracestate !== undefined) meta.tracestate = call.tracestate;
    const task = this.wantsTask(entry) ? { task: {} } : undefined;
    if (task !== undefined) record.wantsTask = true;
    const params = markParams(
      { name: call.tool, arguments: call.arguments, _meta: meta, ...task, ...round },
      record,
    );
    const { onProgress } = call;
    if (onProgress !== undefined) record.onProgress = onProgress;
    try {
      return await this.client.callTool(params, {
        signal,
        timeout: NEVER_MS,
        toolDefinition: entry.definition,
        allowInputRequired: true,
        // Only asks the server for progress: the transport hands it on itself (`CallMeter.progressed`).
        ...(onProgress === undefined ? {} : { onprogress: () => undefined }),
      });
    } finally {
      this.transport.meter.forget(record);
    }
  }

  /** Whether a tool of a server of 2025-11-25 can only be called as a task. With later ones it is for the server to say. */
  private wantsTask(entry: ToolEntry): boolean {
    if (entry.definition.execution?.taskSupport !== 'required' || this.era === 'modern') return false;
    const { tasks } = (this.client.getServerCapabilities() ?? {}) as {
      tasks?: { requests?: { tools?: { call?: unknown } } };
    };
    return tasks?.requests?.tools?.call !== undefined;
  }

  /**
   * Calls `onNews` when the server says that the state of a task changed; the function returned ends that. A server of
   * 2025 says so unasked; a later one has to be listened to, which is only worth it when it wants to be polled rarely.
   */
  watchTask(taskId: string, pollIntervalMs: number, onNews: () => void): () => void {
    const stop = this.transport.meter.tasks.watch(taskId, onNews);
    if (this.era === 'legacy' || pollIntervalMs < LISTEN_FROM_MS || this.listening >= MAX_LISTENING)
      return stop;
    const ended = new AbortController();
    this.listening++;
    const filter = { taskIds: [taskId] } as Parameters<Client['listen']>[0];
    // Servers that offer no such news refuse: polling alone is enough.
    const listened = this.client
      .listen(filter, { signal: ended.signal, timeout: this.options.timeoutMs })
      .then((subscription) => subscription.closed)
      .catch(() => undefined);
    void listened.finally(() => this.listening--);
    return () => {
      stop();
      ended.abort();
    };
  }

  /** One request about a task, which the SDK has no methods for. */
  taskRequest<T extends z.ZodType>(
    method: 'tasks/get' | 'tasks/update' | 'tasks/cancel' | 'tasks/result',
    params: Record<string, unknown>,
    schema: T,
    timeoutMs: number,
  ): Promise<z.infer<T>> {
    return this.client.request({ method, params }, schema, { timeout: timeoutMs }) as Promise<z.infer<T>>;
  }

  /** Speaks with the server in its own protocol; rejects when it does not answer. */
  async ping(timeoutMs: number): Promise<void> {
    if (this.era === 'modern') await this.client.discover({ timeout: timeoutMs });
    else await this.client.ping({ timeout: timeoutMs });
  }

  /** True for an HTTP session that the server may have forgotten. */
  get hasSession(): boolean {
    return this.transport.sessionId !== undefined;
  }

  /** Ends the session and its process. */
  async close(): Promise<void> {
    await this.transport.close();
  }

  private async readTools(timeoutMs: number): Promise<Map<string, ToolEntry>> {
    this.stale = false;
    const tools = new Map<string, ToolEntry>();
    if (this.client.getServerCapabilities()?.tools !== undefined) {
      const listed = await this.client.listTools(undefined, { timeout: timeoutMs, cacheMode: 'refresh' });
      const previous = this.tools;
      for (const definition of listed.tools) {
        const old = previous?.get(definition.name);
        const entry = toolEntry(definition, this.options.note);
        // A tool that did not change keeps its compiled schemas.
        tools.set(definition.name, old !== undefined && sameTool(old, entry) ? old : entry);
      }
    }
    await this.options.onTools(tools);
    this.tools = tools;
    return tools;
  }
}

function sameTool(left: ToolEntry, right: ToolEntry): boolean {
  return JSON.stringify(left.tool) === JSON.stringify(right.tool);
}

/**
 * Opens a session: finds out the protocol era (2026-07-28 first, else the handshake of 2025), then reads the tools.
 * On failure the transport is closed and the SDK's error thrown.
 */
export async function openConnection(options: ConnectOptions): Promise<Connection> {
  const { transport, client: info, capabilities, timeoutMs, signal, prior, note } = options;
  let connection: Connection | undefined;
  const client = new Client(info, {
    capabilities,
    versionNegotiation: { mode: 'auto', probe: { timeoutMs: Math.min(timeoutMs / 2, PROBE_MS) } },
    listMaxPages: MAX_TOOL_PAGES,
    inputRequired: { autoFulfill: false },
    listChanged: {
      tools: { autoRefresh: false, debounceMs: 50, onChanged: () => connection?.markStale() },
    },
  });
  client.onerror = (error) => note(error.message.slice(0, 500));
  const calls = options.prepare(client);
  // The probe for the era knows no signal: closing the transport ends every step.
  const onAbort = () => void transport.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect(transport, { timeout: timeoutMs, ...(prior === undefined ? {} : { prior }) });
    connection = new Connection(client, transport, options, calls);
    await connection.listTools(timeoutMs);
    return connection;
  } catch (error) {
    await transport.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
