import { AppError } from '@/lib/protocol/errors';
import type { ServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import { canonicalJson } from '@/lib/shared/json';
import type { Connection } from '@/server/adapters/mcp/connection';

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;
/** A connection that lived this long was a good one: the next is opened without delay. */
const PROVEN_AFTER_MS = 10_000;

/** Whose connection it is. Nothing is shared between organisations or between credential subjects. */
export interface PoolKey {
  organizationId: string;
  server: string;
  /** Person whose credentials are used; '' for the organisation's own. */
  subject: string;
}

/** What the pool needs. */
export interface PoolOptions {
  /** Opens a connection; gives up with the signal's reason when that is aborted. */
  open: (key: PoolKey, config: ServerConfig, signal: AbortSignal) => Promise<Connection>;
  clock: Clock;
  /** An unused connection is closed after so many milliseconds. */
  idleMs: number;
}

/** A connection in use; `release` must be called exactly once. */
export interface Lease {
  connection: Connection;
  release: () => void;
}

interface Entry {
  key: PoolKey;
  config: ServerConfig;
  opening: Promise<Connection> | undefined;
  connection: Connection | undefined;
  refs: number;
  lastUsed: number;
  openedAt: number;
  failures: number;
  notBefore: number;
  cancelIdle: (() => void) | undefined;
  /** Cuts short the wait before the next attempt. */
  hurry: (() => void) | undefined;
}

/**
 * Open connections by (organisation, server, credential subject): opened at first use, shared, counted, never closed
 * while in use, closed after some idle time, opened again with growing delays after failures.
 */
export class ConnectionPool {
  private readonly entries = new Map<string, Entry>();
  /** Connections that were replaced and still finish their calls. */
  private readonly retired = new Set<Connection>();
  private readonly closing = new AbortController();

  constructor(private readonly options: PoolOptions) {}

  /** The open connection of a key, without opening one. */
  peek(key: PoolKey): { connection: Connection | undefined; opening: boolean } {
    const entry = this.entries.get(keyText(key));
    return { connection: entry?.connection, opening: entry?.opening !== undefined };
  }

  /** An open connection at once, or undefined when one has to be opened. */
  tryAcquire(key: PoolKey, config: ServerConfig): Lease | undefined {
    const entry = this.entries.get(keyText(key));
    if (entry?.connection === undefined || !this.matches(entry, config)) return undefined;
    return this.lease(entry, entry.connection);
  }

  /**
   * A connection, opened when needed; callers at the same time share one attempt.
   *
   * @param eager skips the delay that follows failures (a person asked)
   * @throws what `open` throws, or the signal's reason
   */
  async acquire(key: PoolKey, config: ServerConfig, signal: AbortSignal, eager = false): Promise<Lease> {
    const entry = this.entry(key, config);
    if (entry.connection !== undefined) return this.lease(entry, entry.connection);
    if (eager) {
      entry.notBefore = 0;
      entry.hurry?.();
    }
    entry.opening ??= this.open(entry);
    const connection = await raceAbort(entry.opening, signal);
    return this.lease(entry, connection);
  }

  /** Takes a connection out of use whose session is lost: others finish on it, the next call opens a new one. */
  discard(key: PoolKey, connection: Connection): void {
    const text = keyText(key);
    const entry = this.entries.get(text);
    if (entry?.connection !== connection) return;
    this.entries.delete(text);
    this.retireEntry(entry);
  }

  /** Forgets the connections of a server whose configuration changed or went away; those in use finish first. */
  retire(organizationId: string, server: string): void {
    for (const [text, entry] of this.entries) {
      if (entry.key.organizationId !== organizationId || entry.key.server !== server) continue;
      this.entries.delete(text);
      this.retireEntry(entry);
    }
  }

  /** The same for one key. */
  retireOne(key: PoolKey): void {
    const text = keyText(key);
    const entry = this.entries.get(text);
    if (entry === undefined) return;
    this.entries.delete(text);
    this.retireEntry(entry);
  }

  /** Closes everything, in use or not. */
  async close(): Promise<void> {
    this.closing.abort(new AppError('SHUTTING_DOWN', 'The process is shutting down.'));
    const entries = [...this.entries.values()];
    this.entries.clear();
    for (const entry of entries) {
      entry.cancelIdle?.();
      entry.hurry?.();
    }
    const open = entries.map((entry) => entry.opening?.catch(() => undefined) ?? entry.connection);
    const connections = (await Promise.all(open)).filter((connection) => connection !== undefined);
    await Promise.all([...connections, ...this.retired].map((connection) => connection.close()));
    this.retired.clear();
  }

  private entry(key: PoolKey, config: ServerConfig): Entry {
    const text = keyText(key);
    const existing = this.entries.get(text);
    if (existing !== undefined && this.matches(existing, config)) return existing;
    if (existing !== undefined) this.retireEntry(existing);
    const entry: Entry = {
      key,
      config,
      opening: undefined,
      connection: undefined,
      refs: 0,
      lastUsed: 0,
      openedAt: 0,
      failures: 0,
      notBefore: 0,
      cancelIdle: undefined,
      hurry: undefined,
    };
    this.entries.set(text, entry);
    return entry;
  }

  private matches(entry: Entry, config: ServerConfig): boolean {
    if (entry.config === config) return true;
    if (canonicalJson(entry.config) !== canonicalJson(config)) return false;
    entry.config = config;
    return true;
  }

  private async open(entry: Entry): Promise<Connection> {
    try {
      await this.waitTurn(entry);
      this.closing.signal.throwIfAborted();
      const connection = await this.options.open(entry.key, entry.config, this.closing.signal);
      entry.connection = connection;
      entry.openedAt = this.options.clock.now();
      connection.whenEnded(() => this.ended(entry, connection));
      if (this.entries.get(keyText(entry.key)) !== entry) this.retireEntry(entry);
      return connection;
    } catch (error) {
      this.delay(entry);
      throw error;
    } finally {
      entry.opening = undefined;
    }
  }

  private waitTurn(entry: Entry): Promise<void> {
    const { clock } = this.options;
    if (clock.now() >= entry.notBefore) return Promise.resolve();
    return new Promise((resolve) => {
      const go = () => {
        cancel();
        entry.hurry = undefined;
        resolve();
      };
      const cancel = clock.at(entry.notBefore, go);
      entry.hurry = go;
    });
  }

  private ended(entry: Entry, connection: Connection): void {
    this.retired.delete(connection);
    if (entry.connection !== connection) return;
    entry.connection = undefined;
    entry.refs = 0;
    entry.cancelIdle?.();
    entry.cancelIdle = undefined;
    if (this.options.clock.now() - entry.openedAt >= PROVEN_AFTER_MS) entry.failures = 0;
    else this.delay(entry);
  }

  private delay(entry: Entry): void {
    entry.failures++;
    // The first reconnect is immediate: one broken connection is ordinary.
    const wait = entry.failures < 2 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (entry.failures - 2));
    entry.notBefore = this.options.clock.now() + wait;
  }

  private lease(entry: Entry, connection: Connection): Lease {
    entry.refs++;
    return {
      connection,
      release: () => {
        if (entry.connection !== connection) return;
        entry.refs--;
        entry.lastUsed = this.options.clock.now();
        if (entry.refs > 0) return;
        if (this.retired.has(connection)) void this.closeQuietly(connection);
        else entry.cancelIdle ??= this.watchIdle(entry, connection);
      },
    };
  }

  /** One timer for each connection, moved on only when it fires: calls do not touch it. */
  private watchIdle(entry: Entry, connection: Connection): () => void {
    const { clock, idleMs } = this.options;
    return clock.at(entry.lastUsed + idleMs, () => {
      entry.cancelIdle = undefined;
      if (entry.connection !== connection || entry.refs > 0) return;
      if (clock.now() - entry.lastUsed >= idleMs) {
        entry.connection = undefined;
        void this.closeQuietly(connection);
      } else entry.cancelIdle = this.watchIdle(entry, connection);
    });
  }

  private retireEntry(entry: Entry): void {
    entry.cancelIdle?.();
    entry.cancelIdle = undefined;
    if (entry.connection === undefined) return;
    if (entry.refs === 0) void this.closeQuietly(entry.connection);
    else this.retired.add(entry.connection);
  }

  private async closeQuietly(connection: Connection): Promise<void> {
    this.retired.add(connection);
    try {
      await connection.close();
    } finally {
      this.retired.delete(connection);
    }
  }
}

function keyText(key: PoolKey): string {
  return `${key.organizationId}\u0000${key.server}\u0000${key.subject}`;
}

/** The promise's value, or the signal's reason when that comes first. */
export function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    // The promise goes on for others; here its failure must not count as unhandled.
    promise.catch(() => undefined);
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
