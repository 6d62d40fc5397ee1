import { SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
import { AppError } from '@/lib/protocol/errors';
import type { ServerConfig, StdioServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import { type Connection, openConnection } from '@/server/adapters/mcp/connection';
import { connectError } from '@/server/adapters/mcp/failures';
import type { FleetLog } from '@/server/adapters/mcp/fleet-log';
import type { PoolKey } from '@/server/adapters/mcp/pool';
import type { ServerState } from '@/server/adapters/mcp/server-state';
import { type LaunchOptions, stdioTransport } from '@/server/adapters/mcp/stdio-launch';

/** What the connector needs. */
export interface ConnectorOptions {
  client: { name: string; version: string };
  /** Milliseconds for one connection in all, with everything that is tried. */
  connectTimeoutMs: number;
  clock: Clock;
  log: FleetLog;
  launch: LaunchOptions;
}

/** Opens connections: picks the transport, negotiates the protocol era, notes in the server's log what went wrong. */
export class Connector {
  constructor(private readonly options: ConnectorOptions) {}

  /**
   * Opens a connection.
   *
   * @throws SERVER_START_FAILED, NETWORK_ERROR, TIMEOUT, PROTOCOL_ERROR, COMMAND_NOT_ALLOWED, SERVER_AUTH_REQUIRED
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
      if (config.type !== 'stdio') {
        throw new AppError(
          'SERVER_START_FAILED',
          `${key.server}: servers over ${config.type} are not supported yet.`,
        );
      }
      const connection = await this.openStdio(key, config, state, limit);
      state.connected(connection);
      connection.whenEnded(() => {
        log.info({ ...facts, endedBy: connection.endedBy }, 'mcp server disconnected');
      });
      const ms = Math.round(performance.now() - started);
      log.info({ ...facts, ms, protocolVersion: connection.protocolVersion }, 'mcp server connected');
      return connection;
    } catch (error) {
      const failure = connectError(limit.aborted ? limit.reason : error, key.server, state.log.tail(5));
      state.connectError = failure.message;
      state.log.add(this.options.launch.now(), 'client', `connecting failed: ${failure.message}`);
      log.warn(
        { ...facts, code: failure.code, reason: failure.message },
        'mcp server could not be connected',
      );
      throw failure;
    } finally {
      cancelDeadline();
    }
  }

  private async openStdio(
    key: PoolKey,
    config: StdioServerConfig,
    state: ServerState,
    signal: AbortSignal,
  ): Promise<Connection> {
    const attempt = async (legacy: boolean): Promise<Connection> => {
      const transport = stdioTransport(
        key.organizationId,
        key.server,
        config,
        state.log,
        this.options.launch,
      );
      try {
        const connection: Connection = await openConnection({
          transport,
          client: this.options.client,
          capabilities: {},
          timeoutMs: this.options.connectTimeoutMs,
          signal,
          note: (message) => state.log.add(this.options.launch.now(), 'client', message),
          onToolsChanged: () => undefined,
          ...(legacy ? { prior: { kind: 'legacy' as const } } : {}),
        });
        state.legacyOnly = connection.era === 'legacy';
        return connection;
      } catch (error) {
        throw startError(error, key.server, transport.endedBy, state);
      }
    };
    if (state.legacyOnly) return attempt(true);
    try {
      return await attempt(false);
    } catch (error) {
      // Some servers of 2025 exit when the first message is not `initialize`: start once more without the probe.
      if (!(error instanceof ProbeClosed) || signal.aborted) throw error;
      return attempt(true);
    }
  }
}

/** The process ended during the probe for the protocol era. */
class ProbeClosed extends Error {}

function startError(error: unknown, server: string, endedBy: string | undefined, state: ServerState): Error {
  if (endedBy === undefined || endedBy === 'closed by us')
    return connectError(error, server, state.log.tail(5));
  if (error instanceof SdkError && error.code === SdkErrorCode.EraNegotiationFailed) return new ProbeClosed();
  const log = state.log.tail(5);
  const options = { cause: error, ...(log === '' ? {} : { details: log }) };
  return new AppError('SERVER_START_FAILED', `${server} did not start: ${endedBy}.`, options);
}
