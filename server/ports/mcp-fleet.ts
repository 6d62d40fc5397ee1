import type { ServerDetail, ServerSummary, Tool } from '@/lib/protocol/api';
import type { Failure } from '@/lib/protocol/run';
import type { NamedServerConfig, ServerConfig } from '@/lib/protocol/server-config';
import type { Json, JsonObject } from '@/lib/shared/json';

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
  /** W3C trace context, passed on in `_meta` (SEP-414). */
  traceparent?: string;
  /** Progress notifications of the server, as they come. */
  onProgress?: (progress: { progress: number; total?: number; message?: string }) => void;
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

/** The MCP servers of every organisation: connections are pooled inside, opened at first use. */
export interface McpFleet {
  /** Every configured server of the organisation, connected or not; never opens a connection. */
  list(organizationId: string): Promise<ServerSummary[]>;
  /** Connects when needed and reads what the server offers. Throws SERVER_NOT_FOUND, SERVER_START_FAILED, NETWORK_ERROR, TIMEOUT. */
  inspect(organizationId: string, server: string): Promise<ServerDetail>;
  /**
   * The tool's definition from the cached list (connects when there is none yet).
   * Throws SERVER_NOT_FOUND, TOOL_NOT_FOUND or a connection error.
   */
  tool(organizationId: string, server: string, tool: string): Promise<Tool>;
  /** Calls a tool; never throws for what a server does wrong, and settles at the latest at the timeout. */
  call(call: ToolCall): Promise<ToolOutcome>;
  /** The newest lines of the server's log, oldest first. Throws SERVER_NOT_FOUND. Never opens a connection. */
  logs(organizationId: string, server: string): Promise<ServerLogLine[]>;
  /** Ends every connection and child process (as a tree). */
  close(): Promise<void>;
}
