import { Redis, type RedisOptions } from 'ioredis';
import type { Clock } from '@/lib/shared/clock';
import type { Log } from '@/server/ports/log';

/** A request must not wait longer for its count than this: it is then counted in the process. */
const COMMAND_MS = 500;
const CONNECT_MS = 2_000;
/** Between two pings: without them a connection that leads nowhere any more is not noticed. */
const BEAT_MS = 1_000;
/** Silence after which a connection is given up and made anew. */
const SILENCE_MS = 2_000;
const RETRY_MS = { first: 50, longest: 2_000 };

export interface RedisLinkOptions {
  url: string;
  /** Begins every key and channel, so that instances that share a Redis never meet. */
  prefix: string;
  clock: Clock;
  log: Log;
}

/**
 * The connections of a process to Redis: one for commands, one that listens. A Redis that is away is logged once, tried again
 * for ever, and fails commands at once instead of queueing them; its coming back is logged once.
 */
export class RedisLink {
  readonly commands: Redis;
  readonly listener: Redis;
  readonly prefix: string;
  private lastError = 'not connected yet';
  private told: 'connected' | 'away' | null = null;
  private closed = false;
  private cancelBeat: () => void = () => {};

  constructor(private readonly options: RedisLinkOptions) {
    this.prefix = options.prefix;
    const common = {
      lazyConnect: true,
      connectTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      enableOfflineQueue: false,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (times: number) => Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** Math.min(times, 10)),
      // After a fail-over the old address may be a replica, which takes no writes: connect anew.
      reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    } satisfies RedisOptions;
    this.commands = new Redis(options.url, {
      ...common,
      commandTimeout: COMMAND_MS,
      connectionName: 'openconductor-commands',
    });
    this.listener = new Redis(options.url, { ...common, connectionName: 'openconductor-listener' });
    for (const connection of [this.commands, this.listener]) {
      connection.on('error', (error: Error) => {
        this.lastError = error.message;
      });
      connection.on('ready', () => this.tell());
      connection.on('close', () => this.tell());
    }
  }

  /** Both connections work. */
  get isUp(): boolean {
    return this.commands.status === 'ready' && this.listener.status === 'ready';
  }

  /** Begins; resolves once it is connected or the first attempt has failed, and never fails. */
  async start(): Promise<void> {
    await Promise.allSettled([this.commands.connect(), this.listener.connect()]);
    this.beat();
  }

  /** Throws when Redis does not answer. */
  async ping(): Promise<void> {
    if (!this.isUp) throw new Error(this.lastError);
    await this.commands.ping();
  }

  close(): void {
    this.closed = true;
    this.cancelBeat();
    this.commands.disconnect();
    this.listener.disconnect();
  }

  private beat(): void {
    if (this.closed) return;
    const { clock } = this.options;
    this.cancelBeat = clock.at(clock.now() + BEAT_MS, () => {
      // What a ping answers does not matter here: it gives the socket something to be silent about.
      for (const connection of [this.commands, this.listener])
        if (connection.status === 'ready') connection.ping().catch(() => undefined);
      this.beat();
    });
  }

  private tell(): void {
    const now = this.isUp ? 'connected' : 'away';
    if (this.closed || now === this.told) return;
    // While the first two connections are made, one of them is there before the other.
    if (this.told === null && now === 'away' && this.lastError === 'not connected yet') return;
    this.told = now;
    const { log } = this.options;
    if (now === 'connected') {
      log.info('redis', { status: 'connected' });
      this.lastError = 'the connection was lost';
    } else {
      log.warn('redis', {
        status: 'away',
        error: this.lastError,
        effect: 'hints to other processes are left out; requests and sign-ins are counted in each process',
      });
    }
  }
}
