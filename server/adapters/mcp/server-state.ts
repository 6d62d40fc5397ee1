import type { ServerSummary, Tool } from '@/lib/protocol/api';
import type { ServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import { ServerBreaker } from '@/server/adapters/mcp/breaker';
import { CallStats } from '@/server/adapters/mcp/call-stats';
import type { Connection } from '@/server/adapters/mcp/connection';
import { HealthLog } from '@/server/adapters/mcp/health-log';
import { Limiter } from '@/server/adapters/mcp/limiter';
import { SecretValues } from '@/server/adapters/mcp/secret-values';
import { ServerLog } from '@/server/adapters/mcp/server-log';
import { TokenBucket } from '@/server/adapters/mcp/token-bucket';
import type { ToolEntry } from '@/server/adapters/mcp/tool-catalogue';
import type { ToolGuard } from '@/server/adapters/mcp/tool-guard';
import type { CallPlace } from '@/server/ports/mcp-fleet';

const STDIO_CONCURRENCY = 16;
const HTTP_CONCURRENCY = 64;
/** Of the places only half are kept for calls before they are made: a server with work must not wait for commits. */
const KEPT_SHARE = 0.5;

/** What the fleet remembers of one server of one organisation, whether or not it is connected now. */
export class ServerState {
  readonly stats = new CallStats();
  /** Values of secrets that its configuration was filled with: nothing that the server says may repeat them. */
  readonly secrets = new SecretValues();
  readonly log = new ServerLog(undefined, (text) => this.secrets.text(text));
  readonly breaker: ServerBreaker;
  readonly health = new HealthLog();
  /** The tools as they were last read, kept for the time when the server is not connected. */
  tools: Map<string, Tool> | undefined;
  protocolVersion: string | null = null;
  connectError: string | null = null;
  /** Since when (epoch ms) the server is known to speak only the protocol of 2025: the probe is skipped then. */
  legacySince: number | undefined;
  /** Set when a server that is declared as Streamable HTTP was found to speak the older HTTP+SSE. */
  speaksSse = false;
  /** Set when a server of 2025 asked something during a call: see `CallsInFlight`. */
  interactive = false;
  private currentLimiter: Limiter;
  private bucket: TokenBucket | undefined;

  constructor(
    config: ServerConfig,
    private readonly clock: Clock,
    breaker: { failures?: number; halfOpenAfterMs?: number },
    /** Holds the tools against their accepted definitions. */
    readonly guard: ToolGuard,
    onBreaker: (retryAt: number | undefined) => void = () => undefined,
  ) {
    this.breaker = new ServerBreaker(clock, breaker, onBreaker);
    this.currentLimiter = new Limiter(concurrencyOf(config));
  }

  /** The queue in front of the server; a changed limit applies to calls from then on. */
  limiter(config: ServerConfig): Limiter {
    const limit = this.interactive ? 1 : concurrencyOf(config);
    if (this.currentLimiter.limit !== limit) this.currentLimiter = new Limiter(limit);
    return this.currentLimiter;
  }

  /** A place for a call of the tool, if it can be made at once; a rate limit may hold any call up. */
  keepPlace(config: ServerConfig, tool: Tool): CallPlace | undefined {
    if (config.rateLimit !== undefined || this.breaker.state !== 'closed') return undefined;
    if (this.guard.blockedBy(tool.name) !== undefined) return undefined;
    const release = this.limiter(config).tryAcquire(KEPT_SHARE);
    return release && { tool, release };
  }

  /** The rate limit in front of the server, if it has one. */
  rate(config: ServerConfig): TokenBucket | undefined {
    const { rateLimit } = config;
    if (rateLimit === undefined) return undefined;
    if (this.bucket?.perSecond !== rateLimit.perSecond) {
      this.bucket = new TokenBucket(this.clock, rateLimit.perSecond, rateLimit.burst);
    }
    return this.bucket;
  }

  /** Facts of a connection that was just opened. */
  connected(connection: Connection): void {
    this.connectError = null;
    this.protocolVersion = connection.protocolVersion;
  }

  /** A tool list was read, from whichever connection. */
  async toolsRead(entries: Map<string, ToolEntry>): Promise<void> {
    this.tools = new Map([...entries].map(([name, entry]) => [name, entry.tool]));
    await this.guard.check([...this.tools.values()]);
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
