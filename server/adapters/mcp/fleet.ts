import type { Client } from '@modelcontextprotocol/client';
import type { ServerDetail, ServerSummary, Tool } from '@/lib/protocol/api';
import { AppError } from '@/lib/protocol/errors';
import type { HttpServerConfig, NamedServerConfig, ServerConfig } from '@/lib/protocol/server-config';
import type { ToolChange } from '@/lib/registry/tool-pin';
import type { Clock } from '@/lib/shared/clock';
import { Authorizer } from '@/server/adapters/mcp/authorizer';
import { runCall } from '@/server/adapters/mcp/call-runner';
import { ChildRegistry, childDirectory } from '@/server/adapters/mcp/child-registry';
import type { ConnectOptions } from '@/server/adapters/mcp/connection';
import { Connector } from '@/server/adapters/mcp/connector';
import { connectError, failed, failedBeforeSending } from '@/server/adapters/mcp/failures';
import type { FleetLog } from '@/server/adapters/mcp/fleet-log';
import { healthStateOf } from '@/server/adapters/mcp/health-log';
import { createGuardedFetch } from '@/server/adapters/mcp/http-fetch';
import type { OAuthClientOptions } from '@/server/adapters/mcp/oauth-provider';
import { isPersonal, PersonalCredentials, subjectAt } from '@/server/adapters/mcp/personal-credentials';
import { ConnectionPool, type Lease, type PoolKey } from '@/server/adapters/mcp/pool';
import { isTemplateUrl, type SecretLookup, withSecrets } from '@/server/adapters/mcp/secret-references';
import { answerQuestions, CallsInFlight, capabilitiesFor } from '@/server/adapters/mcp/server-questions';
import { ServerState } from '@/server/adapters/mcp/server-state';
import type { NetworkPolicy } from '@/server/adapters/mcp/ssrf';
import { cancelTask } from '@/server/adapters/mcp/task-states';
import { ToolGuard } from '@/server/adapters/mcp/tool-guard';
import { MemoryToolPinStore } from '@/server/adapters/memory/tool-pin-store';
import type {
  CallPlace,
  FleetEvent,
  HealthHistory,
  HealthReport,
  HealthState,
  ManagedMcpFleet,
  SamplingAnswerer,
  ServerLogLine,
  ServerRegistry,
  ToolCall,
  ToolOutcome,
  ToolPinPolicy,
  ToolPinStore,
} from '@/server/ports/mcp-fleet';
import type { PersonalSecretReader } from '@/server/ports/personal-secret-store';

const CONNECT_TIMEOUT_MS = 30_000;
const PING_TIMEOUT_MS = 10_000;
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
  /** Which addresses remote servers may have beside public ones; none by default. */
  network?: NetworkPolicy;
  /** Values for `${secret:NAME}`; without it every such reference is missing. */
  secrets?: SecretLookup;
  /** What persons have of their own for servers with `credentials: user`. */
  personalSecrets?: PersonalSecretReader;
  /** How we sign in at remote servers; without it only fixed credentials in headers work. */
  oauth?: Omit<OAuthClientOptions, 'now'>;
  /** Where accepted tool definitions are kept, and what a difference from them leads to; `warn` by default. */
  pins?: {
    store: ToolPinStore;
    policy: ToolPinPolicy | ((organizationId: string, server: string) => ToolPinPolicy);
  };
  /** Answers servers whose configuration says `sampling: endpoint`; such requests are refused without it. */
  sampling?: SamplingAnswerer;
  /** Told what happens in the fleet. Must not throw. */
  onEvent?: (event: FleetEvent) => void;
}

/** The fleet over the official MCP SDK. Connections are made at first use; `close` ends them all. */
export function createMcpFleet(options: McpFleetOptions): ManagedMcpFleet {
  return new Fleet(options);
}

class Fleet implements ManagedMcpFleet {
  private readonly states = new Map<string, ServerState>();
  private readonly children: ChildRegistry;
  private readonly authorizer: Authorizer;
  private readonly pins: NonNullable<McpFleetOptions['pins']>;
  private readonly pool: ConnectionPool;
  private readonly credentials: PersonalCredentials;
  private readonly connectTimeoutMs: number;
  private closing = false;

  constructor(private readonly options: McpFleetOptions) {
    const { clock, dataDir } = options;
    this.connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.children = new ChildRegistry(childDirectory(dataDir));
    this.pins = options.pins ?? { store: new MemoryToolPinStore(), policy: 'warn' };
    const maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    const network = options.network ?? { allowLoopback: false, allowPrivate: false };
    this.authorizer = new Authorizer(
      options.oauth === undefined ? undefined : { ...options.oauth, now: () => clock.now() },
      createGuardedFetch(network, maxMessageBytes),
    );
    const secrets = options.secrets ?? noSecrets;
    this.credentials = new PersonalCredentials(options.personalSecrets, secrets);
    const connector = new Connector({
      client: options.client ?? { name: 'openconductor', version: '0.1.0' },
      connectTimeoutMs: this.connectTimeoutMs,
      clock,
      log: options.log,
      launch: {
        dataDir,
        stdioCommands: options.stdioCommands,
        environment: options.environment,
        maxMessageBytes,
        children: this.children,
        now: () => clock.now(),
      },
      fetch: (key) => this.authorizer.fetchFor(key),
      secrets,
      lookup: (key, config) => this.credentials.lookup(key, config),
      auth: (key, config) => this.authorizer.provider(key, config),
      session: (key, config) => this.session(key, config),
      onEvent: (event) => this.emit(event),
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

  async inspect(organizationId: string, server: string, subject = ''): Promise<ServerDetail> {
    const config = await this.config(organizationId, server);
    const lease = await this.connect(organizationId, server, config, subject);
    try {
      const { connection } = lease;
      const tools = await connection.listTools(this.connectTimeoutMs);
      return this.state(organizationId, server, config).secrets.json({
        ...this.summary(organizationId, { name: server, config }),
        version: connection.serverVersion,
        instructions: connection.instructions,
        toolList: [...tools.values()].map((entry) => entry.tool),
      });
    } finally {
      lease.release();
    }
  }

  async tool(organizationId: string, server: string, tool: string, subject = ''): Promise<Tool> {
    const config = await this.config(organizationId, server);
    const state = this.state(organizationId, server, config);
    const key = poolKey(organizationId, server, subjectAt(config, subject));
    const live = this.pool.peek(key).connection?.knownTools()?.get(tool)?.tool;
    const known = live ?? state.tools?.get(tool);
    if (known !== undefined) return known;
    const lease = await this.connect(organizationId, server, config, subject);
    try {
      const tools = await lease.connection.listTools(this.connectTimeoutMs);
      const entry = tools.get(tool);
      if (entry === undefined) throw new AppError('TOOL_NOT_FOUND', `${server} has no tool ${tool}.`);
      return entry.tool;
    } finally {
      lease.release();
    }
  }

  keepPlace(organizationId: string, server: string, tool: string, subject = ''): CallPlace | undefined {
    if (this.closing) return undefined;
    const config = this.options.servers.find(organizationId, server);
    if (config === undefined || config instanceof Promise || config.disabled === true) return undefined;
    const { connection } = this.pool.peek(poolKey(organizationId, server, subjectAt(config, subject)));
    const known = connection?.knownTools()?.get(tool)?.tool;
    return known && this.state(organizationId, server, config).keepPlace(config, known);
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
    const key = poolKey(organizationId, server, subjectAt(config, call.subject));
    if (isPersonal(config)) {
      try {
        await this.credentials.check(key, config, () => this.pool.retireOne(key));
      } catch (error) {
        return failedBeforeSending(error);
      }
    }
    const started = performance.now();
    const outcome = await runCall(call, {
      state,
      config,
      key,
      pool: this.pool,
      clock: this.options.clock,
      listTimeoutMs: this.connectTimeoutMs,
      sampling: this.options.sampling,
    });
    state.stats.record(performance.now() - started, !outcome.ok || outcome.result.isError);
    if (!outcome.ok && outcome.failure.code !== 'CANCELLED') state.stats.lastError = outcome.failure.message;
    return outcome;
  }

  async cancelTask(organizationId: string, server: string, taskId: string, subject = ''): Promise<void> {
    try {
      const config = await this.config(organizationId, server);
      const lease = await this.connect(organizationId, server, config, subject);
      try {
        await cancelTask(lease.connection, taskId);
      } finally {
        lease.release();
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.options.log.warn({ organizationId, server, taskId, reason }, 'mcp task could not be cancelled');
    }
  }

  async logs(organizationId: string, server: string): Promise<ServerLogLine[]> {
    const config = await this.config(organizationId, server);
    return this.state(organizationId, server, config).log.lines();
  }

  breakers(): ReturnType<ManagedMcpFleet['breakers']> {
    return [...this.states].map(([key, { breaker }]) => ({
      server: key.slice(key.indexOf('\u0000') + 1),
      state: breaker.state,
    }));
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.pool.close();
    this.authorizer.close();
    this.children.close();
  }

  async probe(organizationId: string, server: string, subject = ''): Promise<HealthReport> {
    const config = await this.config(organizationId, server);
    const state = this.state(organizationId, server, config);
    const { clock } = this.options;
    const started = performance.now();
    const at = clock.now();
    const done = (health: HealthState, detail: string | null): HealthReport => {
      const latencyMs = Math.round((performance.now() - started) * 1000) / 1000;
      const report = { state: health, at, latencyMs, protocolVersion: state.protocolVersion, detail };
      state.health.add(report);
      this.emit({ type: 'health', organizationId, server, at, report });
      return report;
    };
    try {
      const lease = await this.connect(organizationId, server, config, subject);
      try {
        await lease.connection.ping(Math.min(this.connectTimeoutMs, PING_TIMEOUT_MS));
      } finally {
        lease.release();
      }
      const wrong = config.type === 'streamable-http' && state.speaksSse;
      return wrong
        ? done('WRONG_TRANSPORT', 'It speaks the older HTTP+SSE, not Streamable HTTP.')
        : done('OPEN', null);
    } catch (error) {
      const failure = state.secrets.inError(connectError(error, server));
      const templated = config.type !== 'stdio' && isTemplateUrl(config.url);
      return done(healthStateOf(failure.code, templated), failure.message);
    }
  }

  async health(organizationId: string, server: string): Promise<HealthHistory> {
    const config = await this.config(organizationId, server);
    return this.state(organizationId, server, config).health.history();
  }

  async acceptTools(
    organizationId: string,
    server: string,
    tools?: readonly string[],
    subject = '',
  ): Promise<void> {
    const config = await this.config(organizationId, server);
    const lease = await this.connect(organizationId, server, config, subject);
    try {
      await lease.connection.listTools(this.connectTimeoutMs);
      await this.state(organizationId, server, config).guard.accept(tools);
      const at = this.options.clock.now();
      const accepted = tools === undefined ? null : [...tools];
      this.emit({ type: 'tools-accepted', organizationId, server, at, tools: accepted });
    } finally {
      lease.release();
    }
  }

  async toolChanges(organizationId: string, server: string): Promise<ToolChange[]> {
    const config = await this.config(organizationId, server);
    return this.state(organizationId, server, config).guard.changes;
  }

  async authorize(organizationId: string, server: string, subject = ''): Promise<string | null> {
    const { key, config } = await this.remote(organizationId, server, subject);
    const attempt = async (): Promise<void> => {
      this.pool.retire(organizationId, server);
      const lease = await this.connect(organizationId, server, config, subject);
      lease.release();
    };
    const page = await this.authorizer.authorize(key, config, attempt);
    return page?.href ?? null;
  }

  async finishAuthorization(
    organizationId: string,
    parameters: URLSearchParams,
    subject = '',
  ): Promise<{ server: string; subject: string }> {
    const key = await this.authorizer.callbackKey(parameters);
    if (key.organizationId !== organizationId) {
      throw new AppError('FORBIDDEN', 'This sign-in was started in another organisation.');
    }
    if (subject !== '' && key.subject !== '' && key.subject !== subject)
      throw new AppError('FORBIDDEN', 'This sign-in was started by another person.');
    const { config } = await this.remote(organizationId, key.server, key.subject);
    await this.authorizer.finish(key, config, parameters);
    this.pool.retire(organizationId, key.server);
    return { server: key.server, subject: key.subject };
  }

  restart(organizationId: string, server: string, subject?: string): void {
    if (subject === undefined) this.pool.retire(organizationId, server);
    else this.pool.retireOne(poolKey(organizationId, server, subject));
  }

  openCircuits(): { organizationId: string; server: string }[] {
    return [...this.states].flatMap(([key, state]) => {
      const [organizationId = '', server = ''] = key.split('\u0000');
      return state.breaker.state === 'closed' ? [] : [{ organizationId, server }];
    });
  }

  childPids(): number[] {
    return this.children.pids();
  }

  private async remote(
    organizationId: string,
    server: string,
    subject: string,
  ): Promise<{ key: PoolKey; config: HttpServerConfig }> {
    const config = await this.config(organizationId, server);
    if (config.type === 'stdio')
      throw new AppError('SERVER_NOT_CONFIGURED', `${server} is not a remote server.`);
    const key = poolKey(organizationId, server, subjectAt(config, subject));
    const ofClients = this.options.secrets ?? noSecrets;
    const from = { own: this.credentials.lookup(key, config), ofClients };
    const { secrets } = this.state(organizationId, server, config);
    return { key, config: await withSecrets(organizationId, config, from, (value) => secrets.add(value)) };
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
      const guard = this.guard(organizationId, server);
      const facts = { organizationId, server };
      state = new ServerState(config, this.options.clock, this.options.breaker ?? {}, guard, (retryAt) => {
        const at = this.options.clock.now();
        if (retryAt === undefined) this.emit({ ...facts, at, type: 'breaker-closed' });
        else this.emit({ ...facts, at, type: 'breaker-opened', retryAt });
      });
      this.states.set(key, state);
    }
    return state;
  }

  private guard(organizationId: string, server: string): ToolGuard {
    const { store, policy } = this.pins;
    const now = () => this.options.clock.now();
    return new ToolGuard({
      organizationId,
      server,
      // Asked at each list: the configuration of a server may change while it is known here.
      policy: () => (typeof policy === 'function' ? policy(organizationId, server) : policy),
      store,
      now,
      onChanged: (changes, blocked) => {
        this.emit({ type: 'tools-changed', organizationId, server, at: now(), changes, blocked });
      },
      onSuspicious: (findings) => {
        this.emit({ type: 'tools-suspicious', organizationId, server, at: now(), findings });
      },
    });
  }

  /** What a connection is opened with so that the server may ask things during calls. */
  private session(key: PoolKey, config: ServerConfig): Pick<ConnectOptions, 'capabilities' | 'prepare'> {
    const state = this.state(key.organizationId, key.server, config);
    const prepare = (client: Client): CallsInFlight => {
      const calls = new CallsInFlight(() => {
        state.interactive = true;
      });
      answerQuestions(client, config, calls);
      return calls;
    };
    return { capabilities: capabilitiesFor(config), prepare };
  }

  private emit(event: FleetEvent): void {
    this.options.onEvent?.(event);
  }

  private summary(organizationId: string, { name, config }: NamedServerConfig): ServerSummary {
    const { connection, opening } = this.pool.peek(poolKey(organizationId, name));
    const live = { connected: connection !== undefined, opening };
    return this.state(organizationId, name, config).summary(name, config, live);
  }

  private async connect(
    organizationId: string,
    server: string,
    config: ServerConfig,
    subject = '',
  ): Promise<Lease> {
    if (this.closing) throw new AppError('SHUTTING_DOWN', 'The process is shutting down.');
    const deadline = AbortSignal.timeout(this.connectTimeoutMs * 2);
    const key = poolKey(organizationId, server, subjectAt(config, subject));
    if (key.subject !== '') await this.credentials.check(key, config, () => this.pool.retireOne(key));
    return this.pool.acquire(key, config, deadline, true);
  }
}

const noSecrets: SecretLookup = async () => undefined;

function poolKey(organizationId: string, server: string, subject = ''): PoolKey {
  return { organizationId, server, subject };
}
