import type { ServerDetail, ServerSummary, Tool } from '@/lib/protocol/api';
import { AppError } from '@/lib/protocol/errors';
import type { NamedServerConfig, ServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import { runCall } from '@/server/adapters/mcp/call-runner';
import { ChildRegistry, childDirectory } from '@/server/adapters/mcp/child-registry';
import { Connector } from '@/server/adapters/mcp/connector';
import { failed } from '@/server/adapters/mcp/failures';
import type { FleetLog } from '@/server/adapters/mcp/fleet-log';
import { ConnectionPool, type Lease, type PoolKey } from '@/server/adapters/mcp/pool';
import { ServerState } from '@/server/adapters/mcp/server-state';
import type {
  McpFleet,
  ServerLogLine,
  ServerRegistry,
  ToolCall,
  ToolOutcome,
} from '@/server/ports/mcp-fleet';

const CONNECT_TIMEOUT_MS = 30_000;
const IDLE_MS = 300_000;
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** How a fleet is set up. */
export interface McpFleetOptions {
  servers: ServerRegistry;
  clock: Clock;
  log: FleetLog;
  /** Working directories and pid files of server processes are kept below. */
  dataDir: string;
  /** Commands that stdio servers may run, compared as written. */
  stdioCommands: readonly string[];
  /** Our environment: a few harmless variables of it are passed on to server processes. */
  environment: Readonly<Record<string, string | undefined>>;
  /** How we introduce ourselves to servers. */
  client?: { name: string; version: string };
  /** Milliseconds for starting a server and its handshake; 30 s by default. */
  connectTimeoutMs?: number;
  /** Milliseconds after which an unused connection is closed; 5 min by default. */
  idleMs?: number;
  /** Bytes of one message from a server; 32 MiB by default. */
  maxMessageBytes?: number;
  breaker?: { failures?: number; halfOpenAfterMs?: number };
}

/** The fleet over the official MCP SDK. Connections are made at first use; `close` ends them all. */
export function createMcpFleet(options: McpFleetOptions): McpFleet & { childPids(): number[] } {
  return new Fleet(options);
}

class Fleet implements McpFleet {
  private readonly states = new Map<string, ServerState>();
  private readonly children: ChildRegistry;
  private readonly pool: ConnectionPool;
  private readonly connectTimeoutMs: number;
  private closing = false;

  constructor(private readonly options: McpFleetOptions) {
    const { clock, dataDir } = options;
    this.connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.children = new ChildRegistry(childDirectory(dataDir));
    const connector = new Connector({
      client: options.client ?? { name: 'openconductor', version: '0.1.0' },
      connectTimeoutMs: this.connectTimeoutMs,
      clock,
      log: options.log,
      launch: {
        dataDir,
        stdioCommands: options.stdioCommands,
        environment: options.environment,
        maxMessageBytes: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
        children: this.children,
        now: () => clock.now(),
      },
    });
    this.pool = new ConnectionPool({
      clock,
      idleMs: options.idleMs ?? IDLE_MS,
      open: (key, config, signal) =>
        connector.open(key, config, this.state(key.organizationId, key.server, config), signal),
    });
  }

  async list(organizationId: string): Promise<ServerSummary[]> {
    const servers = await this.options.servers.list(organizationId);
    return servers.map((server) => this.summary(organizationId, server));
  }

  async inspect(organizationId: string, server: string): Promise<ServerDetail> {
    const config = await this.config(organizationId, server);
    const lease = await this.connect(organizationId, server, config);
    try {
      const { connection } = lease;
      const tools = await connection.listTools(this.connectTimeoutMs);
      this.state(organizationId, server, config).remember(connection);
      return {
        ...this.summary(organizationId, { name: server, config }),
        version: connection.serverVersion,
        instructions: connection.instructions,
        toolList: [...tools.values()].map((entry) => entry.tool),
      };
    } finally {
      lease.release();
    }
  }

  async tool(organizationId: string, server: string, tool: string): Promise<Tool> {
    const config = await this.config(organizationId, server);
    const state = this.state(organizationId, server, config);
    const live = this.pool.peek(poolKey(organizationId, server)).connection?.knownTools()?.get(tool)?.tool;
    const known = live ?? state.tools?.get(tool);
    if (known !== undefined) return known;
    const lease = await this.connect(organizationId, server, config);
    try {
      const tools = await lease.connection.listTools(this.connectTimeoutMs);
      state.remember(lease.connection);
      const entry = tools.get(tool);
      if (entry === undefined) throw new AppError('TOOL_NOT_FOUND', `${server} has no tool ${tool}.`);
      return entry.tool;
    } finally {
      lease.release();
    }
  }

  async call(call: ToolCall): Promise<ToolOutcome> {
    const { organizationId, server } = call;
    if (this.closing) return failed('SHUTTING_DOWN', 'The process is shutting down.', false);
    const found = this.options.servers.find(organizationId, server);
    const config = found instanceof Promise ? await found : found;
    if (config === undefined || config.disabled === true) {
      const why = config === undefined ? 'There is no server' : 'Switched off is the server';
      return failed('SERVER_NOT_FOUND', `${why} ${server}.`, false);
    }
    const state = this.state(organizationId, server, config);
    const started = performance.now();
    const outcome = await runCall(call, {
      state,
      config,
      key: poolKey(organizationId, server),
      pool: this.pool,
      clock: this.options.clock,
      listTimeoutMs: this.connectTimeoutMs,
    });
    state.stats.record(performance.now() - started, !outcome.ok || outcome.result.isError);
    if (!outcome.ok && outcome.failure.code !== 'CANCELLED') state.stats.lastError = outcome.failure.message;
    return outcome;
  }

  async logs(organizationId: string, server: string): Promise<ServerLogLine[]> {
    const config = await this.config(organizationId, server);
    return this.state(organizationId, server, config).log.lines();
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.pool.close();
    this.children.close();
  }

  /** Process ids of the stdio servers that run now (for /health/deep and tests). */
  childPids(): number[] {
    return this.children.pids();
  }

  private async config(organizationId: string, server: string): Promise<ServerConfig> {
    const config = await this.options.servers.find(organizationId, server);
    if (config === undefined) throw new AppError('SERVER_NOT_FOUND', `There is no server ${server}.`);
    if (config.disabled === true) throw new AppError('SERVER_NOT_FOUND', `The server ${server} is disabled.`);
    return config;
  }

  private state(organizationId: string, server: string, config: ServerConfig): ServerState {
    const key = `${organizationId}\u0000${server}`;
    let state = this.states.get(key);
    if (state === undefined) {
      state = new ServerState(config, this.options.clock, this.options.breaker ?? {});
      this.states.set(key, state);
    }
    return state;
  }

  private summary(organizationId: string, { name, config }: NamedServerConfig): ServerSummary {
    const { connection, opening } = this.pool.peek(poolKey(organizationId, name));
    const live = { connected: connection !== undefined, opening };
    return this.state(organizationId, name, config).summary(name, config, live);
  }

  private connect(organizationId: string, server: string, config: ServerConfig): Promise<Lease> {
    if (this.closing) return Promise.reject(new AppError('SHUTTING_DOWN', 'The process is shutting down.'));
    const deadline = AbortSignal.timeout(this.connectTimeoutMs * 2);
    return this.pool.acquire(poolKey(organizationId, server), config, deadline, true);
  }
}

function poolKey(organizationId: string, server: string): PoolKey {
  return { organizationId, server, subject: '' };
}
