import { type PriorDiscovery, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { AppError } from '@/lib/protocol/errors';
import type { HttpServerConfig, ServerConfig, StdioServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import {
  type Connection,
  type ConnectOptions,
  type MeteredTransport,
  openConnection,
} from '@/server/adapters/mcp/connection';
import { connectError } from '@/server/adapters/mcp/failures';
import type { FleetLog } from '@/server/adapters/mcp/fleet-log';
import type { GuardedFetch } from '@/server/adapters/mcp/http-fetch';
import { HttpTransport, type HttpTransportOptions } from '@/server/adapters/mcp/http-transport';
import type { PoolKey } from '@/server/adapters/mcp/pool';
import { isTemplateUrl, type SecretLookup, withSecrets } from '@/server/adapters/mcp/secret-references';
import type { ServerState } from '@/server/adapters/mcp/server-state';
import { type LaunchOptions, stdioTransport } from '@/server/adapters/mcp/stdio-launch';
import type { FleetEvent } from '@/server/ports/mcp-fleet';

/** How long a server counts as one of 2025 only before it is asked again. */
const ERA_MEMORY_MS = 3_600_000;
/** HTTP answers to a POST that say "not here": an older server may offer the event stream instead. */
const TRY_SSE = new Set([400, 404, 405, 406, 415]);
const LOG_LINES = 5;

/** What the connector needs. */
export interface ConnectorOptions {
  client: { name: string; version: string };
  /** Milliseconds for one connection in all, with everything that is tried. */
  connectTimeoutMs: number;
  clock: Clock;
  log: FleetLog;
  launch: LaunchOptions;
  fetch: (key: PoolKey) => GuardedFetch;
  secrets: SecretLookup;
  /** The same for one connection, which may be a person's. */
  lookup: (key: PoolKey, config: ServerConfig) => SecretLookup;
  /** Credentials for a remote server, when it has some. */
  auth?: (key: PoolKey, config: HttpServerConfig) => HttpTransportOptions['auth'];
  /** Prepares a connection for what a server may ask during calls. */
  onEvent: (event: FleetEvent) => void;
  session: (key: PoolKey, config: ServerConfig) => Pick<ConnectOptions, 'capabilities' | 'prepare'>;
}

/** Opens connections: picks the transport, negotiates the protocol era, notes in the server's log what went wrong. */
export class Connector {
  constructor(private readonly options: ConnectorOptions) {}

  /**
   * Opens a connection.
   *
   * @throws SERVER_START_FAILED, SERVER_NOT_CONFIGURED, SERVER_AUTH_REQUIRED, NETWORK_ERROR, TIMEOUT, PROTOCOL_ERROR,
   *   COMMAND_NOT_ALLOWED, ADDRESS_NOT_ALLOWED
   */
  async open(
    key: PoolKey,
    config: ServerConfig,
    state: ServerState,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { log, clock, connectTimeoutMs } = this.options;
    const deadline = new AbortController();
    const cancelDeadline = clock.at(clock.now() + connectTimeoutMs, () => {
      const message = `${key.server} did not finish connecting within ${connectTimeoutMs} ms.`;
      deadline.abort(new AppError('TIMEOUT', message));
    });
    const limit = AbortSignal.any([signal, deadline.signal]);
    const facts = { organizationId: key.organizationId, server: key.server };
    const started = performance.now();
    try {
      if (config.type !== 'stdio' && isTemplateUrl(config.url)) {
        throw new AppError(
          'SERVER_NOT_CONFIGURED',
          `The address of ${key.server} still holds a placeholder.`,
        );
      }
      const { secrets, lookup } = this.options;
      const filled = await withSecrets(
        key.organizationId,
        config,
        { own: lookup(key, config), ofClients: secrets },
        (value) => state.secrets.add(value),
      );
      const attempt = new ConnectAttempt(key, state, limit, this.options);
      const connection = filled.type === 'stdio' ? await attempt.stdio(filled) : await attempt.http(filled);
      state.connected(connection);
      connection.whenEnded(() => {
        const reason = connection.endedBy ?? 'closed';
        log.info({ ...facts, reason }, 'mcp server disconnected');
        this.options.onEvent({ ...facts, type: 'disconnected', at: clock.now(), reason });
      });
      const durationMs = Math.round(performance.now() - started);
      const { protocolVersion } = connection;
      log.info({ ...facts, durationMs, protocolVersion }, 'mcp server connected');
      this.options.onEvent({ ...facts, type: 'connected', at: clock.now(), protocolVersion, durationMs });
      return connection;
    } catch (error) {
      const failure = state.secrets.inError(
        connectError(limit.aborted ? limit.reason : error, key.server, state.log.tail(LOG_LINES)),
      );
      state.connectError = failure.message;
      state.log.add(clock.now(), 'client', `connecting failed: ${failure.message}`);
      const { code, message } = failure;
      log.warn({ ...facts, code, reason: message }, 'mcp server could not be connected');
      this.options.onEvent({ ...facts, type: 'connect-failed', at: clock.now(), code, message });
      throw failure;
    } finally {
      cancelDeadline();
    }
  }
}

/** One attempt, with everything that is tried in it. */
class ConnectAttempt {
  constructor(
    private readonly key: PoolKey,
    private readonly state: ServerState,
    private readonly signal: AbortSignal,
    private readonly options: ConnectorOptions,
  ) {}

  async stdio(config: StdioServerConfig): Promise<Connection> {
    const { key, state } = this;
    const launch = async (legacy: boolean): Promise<Connection> => {
      const transport = stdioTransport(
        key.organizationId,
        key.server,
        config,
        state.log,
        this.options.launch,
      );
      try {
        return await this.handshake(transport, config, legacy ? { kind: 'legacy' } : undefined);
      } catch (error) {
        throw this.startError(error, transport.endedBy);
      }
    };
    if (this.knownAsLegacy()) return launch(true);
    try {
      return await launch(false);
    } catch (error) {
      // Some servers of 2025 exit when the first message is not `initialize`: start once more without the probe.
      if (!(error instanceof ProbeClosed) || this.signal.aborted) throw error;
      return launch(true);
    }
  }

  async http(config: HttpServerConfig): Promise<Connection> {
    const url = new URL(config.url);
    const reach = (kind: HttpServerConfig['type']): Promise<Connection> => {
      const auth = this.options.auth?.(this.key, config);
      const fetch = this.options.fetch(this.key);
      const options = { kind, url, headers: config.headers, fetch, ...(auth === undefined ? {} : { auth }) };
      const prior: PriorDiscovery | undefined =
        kind === 'sse' || this.knownAsLegacy() ? { kind: 'legacy' } : undefined;
      return this.handshake(new HttpTransport(options), config, prior);
    };
    const { state } = this;
    if (config.type === 'sse' || state.speaksSse) return reach('sse');
    try {
      return await reach('streamable-http');
    } catch (error) {
      const status = error instanceof SdkHttpError ? error.status : undefined;
      if (status === undefined || !TRY_SSE.has(status) || this.signal.aborted) throw error;
      const connection = await reach('sse').catch(() => {
        throw error;
      });
      state.speaksSse = true;
      return connection;
    }
  }

  private async handshake(
    transport: MeteredTransport,
    config: ServerConfig,
    prior: PriorDiscovery | undefined,
  ): Promise<Connection> {
    const { state, options } = this;
    const connection: Connection = await openConnection({
      transport,
      client: options.client,
      timeoutMs: options.connectTimeoutMs,
      signal: this.signal,
      note: (message) => state.log.add(options.clock.now(), 'client', message),
      onTools: (tools) => state.toolsRead(tools),
      ...options.session(this.key, config),
      ...(prior === undefined ? {} : { prior }),
    });
    if (connection.era === 'legacy' && prior === undefined) state.legacySince = options.clock.now();
    return connection;
  }

  private knownAsLegacy(): boolean {
    const { legacySince } = this.state;
    return legacySince !== undefined && this.options.clock.now() - legacySince < ERA_MEMORY_MS;
  }

  private startError(error: unknown, endedBy: string | undefined): Error {
    const { server } = this.key;
    const log = this.state.log.tail(LOG_LINES);
    if (endedBy === undefined || endedBy === 'closed by us') return connectError(error, server, log);
    if (error instanceof SdkError && error.code === SdkErrorCode.EraNegotiationFailed)
      return new ProbeClosed();
    const options = { cause: error, ...(log === '' ? {} : { details: log }) };
    return new AppError('SERVER_START_FAILED', `${server} did not start: ${endedBy}.`, options);
  }
}

/** The process ended during the probe for the protocol era. */
class ProbeClosed extends Error {}
