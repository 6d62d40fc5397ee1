import type { ServerSummary, Tool } from '@/lib/protocol/api';
import type { ServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import { ServerBreaker } from '@/server/adapters/mcp/breaker';
import { CallStats } from '@/server/adapters/mcp/call-stats';
import type { Connection } from '@/server/adapters/mcp/connection';
import { Limiter } from '@/server/adapters/mcp/limiter';
import { ServerLog } from '@/server/adapters/mcp/server-log';

const STDIO_CONCURRENCY = 16;
const HTTP_CONCURRENCY = 64;

/** What the fleet remembers of one server of one organisation, whether or not it is connected now. */
export class ServerState {
  readonly stats = new CallStats();
  readonly log = new ServerLog();
  readonly breaker: ServerBreaker;
  /** The tools as they were last read. */
  tools: Map<string, Tool> | undefined;
  protocolVersion: string | null = null;
  connectError: string | null = null;
  /** Set when the server turned out to speak only the protocol of 2025: the probe is skipped from then on. */
  legacyOnly = false;
  private currentLimiter: Limiter;

  constructor(config: ServerConfig, clock: Clock, breaker: { failures?: number; halfOpenAfterMs?: number }) {
    this.breaker = new ServerBreaker(clock, breaker);
    this.currentLimiter = new Limiter(concurrencyOf(config));
  }

  /** The queue in front of the server; a changed limit applies to calls from then on. */
  limiter(config: ServerConfig): Limiter {
    const limit = concurrencyOf(config);
    if (this.currentLimiter.limit !== limit) this.currentLimiter = new Limiter(limit);
    return this.currentLimiter;
  }

  /** Facts of a connection that was just opened. */
  connected(connection: Connection): void {
    this.connectError = null;
    this.protocolVersion = connection.protocolVersion;
    this.remember(connection);
  }

  /** Keeps the tool list for the time when the server is not connected. */
  remember(connection: Connection): void {
    const known = connection.knownTools();
    if (known !== undefined) this.tools = new Map([...known].map(([name, entry]) => [name, entry.tool]));
  }

  /** The server as lists show it. */
  summary(name: string, config: ServerConfig, live: { connected: boolean; opening: boolean }): ServerSummary {
    return {
      name,
      title: config.title ?? null,
      transport: config.type,
      target: targetOf(config),
      status: this.status(config, live),
      protocolVersion: this.protocolVersion,
      tools: this.tools?.size ?? null,
      calls: this.stats.calls,
      errors: this.stats.errors,
      latencyMs: this.stats.latency(),
      lastError: this.connectError ?? this.stats.lastError,
    };
  }

  private status(
    config: ServerConfig,
    live: { connected: boolean; opening: boolean },
  ): ServerSummary['status'] {
    if (config.disabled === true) return 'disabled';
    if (live.connected) return 'connected';
    if (live.opening) return 'connecting';
    return this.connectError === null ? 'idle' : 'failed';
  }
}

function concurrencyOf(config: ServerConfig): number {
  return config.concurrency ?? (config.type === 'stdio' ? STDIO_CONCURRENCY : HTTP_CONCURRENCY);
}

/** What is run or where it is reached, without credentials: no environment, no headers, no query, no user info. */
export function targetOf(config: ServerConfig): string {
  if (config.type === 'stdio') return [config.command, ...config.args].join(' ');
  try {
    const url = new URL(config.url);
    return `${url.origin}${url.pathname}`;
  } catch {
    return config.url.split('?')[0] ?? '';
  }
}
