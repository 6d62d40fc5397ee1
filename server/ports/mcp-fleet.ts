import type { ServerDetail, ServerSummary, Tool } from '@/lib/protocol/api';
import type { Failure } from '@/lib/protocol/run';
import type { NamedServerConfig, ServerConfig } from '@/lib/protocol/server-config';
import type { ToolChange, ToolFinding } from '@/lib/registry/tool-pin';
import type { Json, JsonObject } from '@/lib/shared/json';

/** One thing that a server asks for in the middle of a call. `key` names it within its round. */
export type InputRequest =
  /** A form for a person; `schema` is a flat JSON Schema of its fields. */
  | { key: string; kind: 'form'; message: string; schema: JsonObject }
  /** A page that a person has to visit (sign in, pay); nothing entered there passes through us. */
  | { key: string; kind: 'url'; message: string; url: string }
  /** An answer of a language model; `params` as in `sampling/createMessage`. */
  | { key: string; kind: 'sampling'; params: JsonObject };

/** The answer to one of them. `result` is for sampling: a `CreateMessageResult`. */
export type InputAnswer =
  | { action: 'accept'; content?: JsonObject }
  | { action: 'decline' }
  | { action: 'cancel' }
  | { action: 'result'; result: JsonObject };

/** Answers a server's `sampling/createMessage` with a language model: params in, `CreateMessageResult` out. */
export type SamplingAnswerer = (params: JsonObject, signal: AbortSignal) => Promise<JsonObject>;

/** A round of questions. */
export interface InputRequired {
  requests: InputRequest[];
  /** Opaque to us; goes back to the server unchanged with the answers. */
  requestState?: string;
  /**
   * True when the server holds nothing open meanwhile (`input_required` of 2026-07-28): the call can be resumed with
   * the answers at any time, by any process (`ToolCall.resume`). False for questions of 2025 inside an open request.
   */
  durable: boolean;
  /** Answers of the same round that need nobody (roots, refusals by policy); they go back with the others. */
  answered?: Record<string, JsonObject>;
  /** The task that asks, when the call goes on as a task of the server. */
  taskId?: string;
}

/** A call that its server carries on by itself and is asked about from time to time (Tasks extension). */
export interface ServerTask {
  taskId: string;
  pollIntervalMs: number;
  /** For how long after its creation the server keeps it; null for ever. */
  ttlMs: number | null;
}

/** A place at a server that is kept for one call until it is made. */
export interface CallPlace {
  /** The definition of the tool that is to be called. */
  readonly tool: Tool;
  /** Gives the place up. The call does so when it is over; who makes no call has to. More than once does no harm. */
  release: () => void;
}

/** One tool call. `idempotencyKey` is stable over attempts and travels in the call's `_meta`. */
export interface ToolCall {
  organizationId: string;
  server: string;
  tool: string;
  arguments: JsonObject;
  idempotencyKey: string;
  timeoutMs: number;
  /** Aborted when the run is cancelled or the process drains. */
  signal: AbortSignal;
  /** The place that `keepPlace` gave for this call. */
  place?: CallPlace;
  /**
   * Awaited when everything is there and the call is about to be sent, however long the connection or a place took: the
   * last moment to hold it back, or to abort it.
   */
  beforeSending?: () => Promise<void>;
  /** W3C trace context, passed on in `_meta` (SEP-414). */
  traceparent?: string | undefined;
  tracestate?: string | undefined;
  /** Progress notifications of the server, as they come. */
  onProgress?: (progress: { progress: number; total?: number; message?: string }) => void;
  /** Person the call is made for: their credentials are used at servers with `credentials: user`, and only there. */
  subject?: string;
  /**
   * Asked when the server wants input; answers by key. The timeout stands still meanwhile. `park` ends the call with
   * INPUT_REQUIRED, as does leaving this out, when the round is durable; else the server's questions are refused.
   */
  onInputRequired?: (
    input: InputRequired,
    signal: AbortSignal,
  ) => Promise<Record<string, InputAnswer> | 'park'>;
  /**
   * Told when the server makes a task of the call; awaited, so that the task's id can be kept before anything else
   * happens. After a crash the task is followed again with `resume: { input: { requests: [], durable: true, taskId },
   * answers: {} }`.
   */
  onTask?: (task: ServerTask) => void | Promise<void>;
  /** Takes up a call that ended with INPUT_REQUIRED, or that became a task. */
  resume?: { input: InputRequired; answers: Record<string, InputAnswer> };
}

/** What a tool gave back. `isError` is the tool's own verdict: it does not count against the server. */
export interface ToolResult {
  isError: boolean;
  content: Json[];
  structuredContent: Json | null;
  durationMs: number;
  bytesOut: number;
  bytesIn: number;
}

/**
 * Why a call gave nothing back. `ambiguous` is true when the request may have reached the tool (sent, then
 * timeout or broken connection): only then is the outcome unknown. `retryAt` (epoch ms) comes with CIRCUIT_OPEN.
 */
export interface ToolFailure extends Failure {
  ambiguous: boolean;
  retryAt?: number;
  /** What is asked for; comes with INPUT_REQUIRED. */
  inputRequired?: InputRequired;
}

export type ToolOutcome = { ok: true; result: ToolResult } | { ok: false; failure: ToolFailure };

/** One line of a server's own log: its stderr, or what it wrote to stdout that is not MCP. `at` is epoch ms. */
export interface ServerLogLine {
  at: number;
  stream: 'stderr' | 'stdout' | 'client';
  text: string;
}

/**
 * Which servers an organisation has. Read on every call, so answers come from memory; a promise is for registries
 * that have to load an organisation first.
 */
export interface ServerRegistry {
  list(organizationId: string): NamedServerConfig[] | Promise<NamedServerConfig[]>;
  find(organizationId: string, server: string): ServerConfig | undefined | Promise<ServerConfig | undefined>;
}

/** A tool definition that was accepted. */
export interface PinnedTool {
  /** SHA-256 of everything a caller or a model sees of the tool. */
  hash: string;
  tool: Tool;
  /** Epoch ms. */
  acceptedAt: number;
}

/** Where accepted tool definitions are kept. */
export interface ToolPinStore {
  /** Undefined when the server was never seen. */
  load(organizationId: string, server: string): Promise<PinnedTool[] | undefined>;
  save(organizationId: string, server: string, tools: PinnedTool[]): Promise<void>;
}

/** What to do about a tool whose definition is not the accepted one: nothing, tell, or tell and refuse its calls. */
export type ToolPinPolicy = 'off' | 'warn' | 'block';

/** Where a server stands, found out by speaking MCP with it. */
export type HealthState =
  | 'OPEN'
  | 'NEEDS_AUTH'
  | 'NOT_MCP'
  | 'WRONG_TRANSPORT'
  | 'UNREACHABLE'
  | 'TEMPLATE_URL';

/** One probe. `at` is epoch ms. */
export interface HealthReport {
  state: HealthState;
  at: number;
  latencyMs: number;
  protocolVersion: string | null;
  /** Why, in a sentence; null when OPEN. */
  detail: string | null;
}

/** The newest probes of a server, oldest first, and how long the good ones took. */
export interface HealthHistory {
  reports: HealthReport[];
  /** Share of probes that were OPEN, 0 to 1; null before the first one. */
  uptime: number | null;
  latencyMs: { p50: number; p95: number } | null;
}

/** What happens in the fleet, for the live feed and for stores. */
export type FleetEvent = { organizationId: string; server: string; at: number } & (
  | { type: 'connected'; protocolVersion: string | null; durationMs: number }
  | { type: 'disconnected'; reason: string }
  | { type: 'connect-failed'; code: string; message: string }
  | { type: 'tools-changed'; changes: ToolChange[]; blocked: string[] }
  | { type: 'tools-suspicious'; findings: ToolFinding[] }
  | { type: 'tools-accepted'; tools: string[] | null }
  | { type: 'breaker-opened'; retryAt: number }
  | { type: 'breaker-closed' }
  | { type: 'health'; report: HealthReport }
  /** A probe found another state than the one before; `from` is null at the first one. */
  | { type: 'state-changed'; from: HealthState | null; to: HealthState; detail: string | null }
);

/**
 * The MCP servers of every organisation: connections are pooled inside, opened at first use. `subject` is the person on whose
 * behalf something is done; it counts at servers with `credentials: user` only, and there the organisation's own credentials
 * are used without it, except for calls, which are refused.
 */
export interface McpFleet {
  /** Every configured server of the organisation, connected or not; never opens a connection. */
  list(organizationId: string): Promise<ServerSummary[]>;
  /** Connects when needed and reads what the server offers. Throws SERVER_NOT_FOUND, SERVER_START_FAILED, NETWORK_ERROR, TIMEOUT. */
  inspect(organizationId: string, server: string, subject?: string): Promise<ServerDetail>;
  /**
   * The tool's definition from the cached list (connects when there is none yet).
   * Throws SERVER_NOT_FOUND, TOOL_NOT_FOUND or a connection error.
   */
  tool(organizationId: string, server: string, tool: string, subject?: string): Promise<Tool>;
  /**
   * Keeps a place for a call that could be sent at once: the server is connected, its breaker closed, the tool known and not
   * blocked, and nobody waits in front of it. Undefined when one of these does not hold; never waits, opens or throws.
   */
  keepPlace(organizationId: string, server: string, tool: string, subject?: string): CallPlace | undefined;
  /** Calls a tool; never throws for what a server does wrong, and settles at the latest at the timeout. */
  call(call: ToolCall): Promise<ToolOutcome>;
  /** Asks a server to give up a task that nobody follows just now. Never throws: whether it does is for the server to say. */
  cancelTask(organizationId: string, server: string, taskId: string, subject?: string): Promise<void>;
  /** The newest lines of the server's log, oldest first. Throws SERVER_NOT_FOUND. Never opens a connection. */
  logs(organizationId: string, server: string): Promise<ServerLogLine[]>;
  /** Ends every connection and child process (as a tree). */
  close(): Promise<void>;
}

/** A fleet with what operators do to it. */
export interface ManagedMcpFleet extends McpFleet {
  /** Speaks MCP with the server now and notes the result. Throws SERVER_NOT_FOUND only. */
  probe(organizationId: string, server: string, subject?: string): Promise<HealthReport>;
  health(organizationId: string, server: string): Promise<HealthHistory>;
  /**
   * Accepts the tools as they are now: all of them, or those named (also one that is gone). Throws as `inspect` does,
   * and TOOL_NOT_FOUND.
   */
  acceptTools(
    organizationId: string,
    server: string,
    tools?: readonly string[],
    subject?: string,
  ): Promise<void>;
  /** What differs from the accepted definitions (empty when nothing does, or nothing was pinned yet). */
  toolChanges(organizationId: string, server: string): Promise<ToolChange[]>;
  /**
   * Closes the server's connections (of one person, when given) when they fall idle, so that the next call reads its
   * configuration anew.
   */
  restart(organizationId: string, server: string, subject?: string): void;
  /**
   * Starts the flow in which a person grants access to a remote server. Gives the page they have to visit, or null
   * when access works already. Throws SERVER_NOT_FOUND, SERVER_NOT_CONFIGURED or a connection error.
   */
  authorize(organizationId: string, server: string, subject?: string): Promise<string | null>;
  /**
   * Takes the parameters that the person's browser came back with. The organisation given is that of the person who
   * came back: a flow of another one is refused, as is a flow for another person's own access. Throws FORBIDDEN or SERVER_AUTH_REQUIRED.
   */
  finishAuthorization(
    organizationId: string,
    parameters: URLSearchParams,
    subject?: string,
  ): Promise<{ server: string; subject: string }>;
  /** How the circuit breakers of the servers stand that were used so far; servers of several organisations may share a name. */
  breakers(): { server: string; state: 'closed' | 'open' | 'half-open' }[];
  /** Servers whose circuit breaker is not closed in this process: their calls wait, or one is let through as a trial. */
  openCircuits(): { organizationId: string; server: string }[];
  /** Process ids of the stdio servers that run now. */
  childPids(): number[];
}
