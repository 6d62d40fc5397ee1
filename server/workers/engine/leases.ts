import type { Clock } from '@/lib/shared/clock';
import type { Lease, LeaseStore, ProcessFacts } from '@/server/ports/lease-store';
import type { Log } from '@/server/ports/log';
import { crashPoint } from '@/server/workers/engine/crash-points';

export interface LeaseManagerDeps {
  store: LeaseStore;
  clock: Clock;
  log: Log;
  process: ProcessFacts;
  shards: number;
  ttlMs: number;
  /** Whether a process of this host still exists. */
  isAlive: (pid: number) => boolean;
  /** The database's clock as read by a heartbeat, and half the time the answer took. */
  onDatabaseTime: (databaseNow: number, halfRoundTripMs: number) => void;
  onAcquired: (leases: Lease[]) => void;
  /** Shards that this process no longer owns: their runs must be dropped at once. */
  onLost: (shards: number[]) => void;
}

/**
 * Keeps this process's share of the shards: renews every third of the TTL, takes what is free, gives back what is
 * more than its share when processes join.
 */
export class LeaseManager {
  private readonly epochs = new Map<number, number>();
  /** Until when the leases last confirmed run at least, on this process's clock. */
  private freshUntil = Number.NEGATIVE_INFINITY;
  private unsure: (() => void)[] = [];
  private cancelNext: (() => void) | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private draining = false;

  constructor(private readonly deps: LeaseManagerDeps) {}

  /** Epoch of a held shard, undefined when it is not ours. */
  epoch(shard: number): number | undefined {
    return this.epochs.get(shard);
  }

  held(): number[] {
    return [...this.epochs.keys()];
  }

  /**
   * The held shards whose leases are known to run now. None while the database has not confirmed them within their time:
   * they are not given up then, nobody may have taken them, but whoever asks cannot be told that they are ours.
   */
  fresh(): number[] {
    return this.deps.clock.now() < this.freshUntil ? this.held() : [];
  }

  /**
   * Resolves when the leases are known to run: at once while the last heartbeat is younger than their time, else after
   * the next one, which drops what was lost. A process that was stopped, or cut off from the database, begins nothing
   * on the strength of leases that another may have taken over.
   */
  async confirmed(): Promise<void> {
    while (this.deps.clock.now() >= this.freshUntil) {
      await new Promise<void>((resolve) => this.unsure.push(resolve));
    }
  }

  async start(): Promise<void> {
    await this.deps.store.ensureShards(this.deps.shards);
    await this.beat();
    this.schedule();
  }

  /** Notes that a commit found the shard owned by somebody else. */
  lose(shards: readonly number[]): void {
    const lost = shards.filter((shard) => this.epochs.delete(shard));
    if (lost.length > 0) this.deps.onLost(lost);
  }

  /**
   * From now on what is held is renewed, and nothing more is acquired. Others reckon their shares without this process, so that
   * they take what it gives back.
   */
  async drain(): Promise<void> {
    this.draining = true;
    await this.running;
    if (this.stopped) return;
    this.running = this.beat().finally(() => this.schedule());
    await this.running;
  }

  /** Gives shards back at once; their runs are dropped. */
  async giveBack(shards: readonly number[]): Promise<void> {
    if (shards.length === 0) return;
    this.lose(shards);
    await this.deps.store.release(this.deps.process.id, shards);
  }

  /**
   * Stops renewing and gives everything back, so that others need not wait for the TTL. When the database cannot be reached
   * they have to, and nothing else of the process's end needs to wait.
   */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelNext?.();
    await this.running;
    const shards = this.held();
    this.epochs.clear();
    try {
      await this.deps.store.release(this.deps.process.id, shards);
      await this.deps.store.leave(this.deps.process.id);
    } catch (error) {
      this.deps.log.warn('give_back', { status: 'failed', shards: shards.length, error: String(error) });
    }
  }

  private schedule(): void {
    this.cancelNext?.();
    if (this.stopped) return;
    const { clock, ttlMs } = this.deps;
    this.cancelNext = clock.at(clock.now() + ttlMs / 3, () => {
      this.running = this.beat().finally(() => this.schedule());
    });
  }

  private async beat(): Promise<void> {
    const { store, process, ttlMs, clock, log } = this.deps;
    try {
      const asked = clock.now();
      const { held, neighbours, processes: live, now } = await store.heartbeat(process, ttlMs, this.draining);
      crashPoint('during-lease-renewal');
      const took = clock.now() - asked;
      this.deps.onDatabaseTime(now, took / 2);
      await this.keep(held);
      this.freshUntil = clock.now() - took + ttlMs;
      for (const resolve of this.unsure.splice(0)) resolve();
      if (this.draining) return;
      const dead = await this.bury(neighbours);
      const share = Math.ceil(this.deps.shards / (live - dead));
      if (this.epochs.size < share) {
        const taken = await store.acquire(process.id, ttlMs, share - this.epochs.size);
        // Since the heartbeat a lease of ours may have run out: taken again, it is a new one, and what is in memory is of the old.
        this.lose(taken.map(({ shard }) => shard));
        for (const lease of taken) this.epochs.set(lease.shard, lease.epoch);
        if (taken.length > 0) this.deps.onAcquired(taken);
      } else if (this.epochs.size > share) {
        await this.giveBack(this.held().slice(share));
      }
    } catch (error) {
      // Leases may run out meanwhile. Nothing to decide here: the epoch check at the next commit does.
      log.warn('heartbeat', { status: 'failed', error: String(error) });
    }
  }

  /**
   * Gives back the shards of neighbours that are gone: after a `kill -9` their runs need not wait for the lease to run out.
   * If one were alive after all, its epoch would be old and its writes refused.
   */
  private async bury(neighbours: readonly { id: string; pid: number }[]): Promise<number> {
    const dead = neighbours.filter(({ pid }) => !this.deps.isAlive(pid));
    const all = Array.from({ length: this.deps.shards }, (_, shard) => shard);
    for (const { id, pid } of dead) {
      this.deps.log.warn('process_gone', { process: id, pid });
      await this.deps.store.release(id, all);
      await this.deps.store.leave(id);
    }
    return dead.length;
  }

  private async keep(held: readonly Lease[]): Promise<void> {
    const still = new Map(held.map((lease) => [lease.shard, lease.epoch]));
    this.lose(this.held().filter((shard) => still.get(shard) !== this.epochs.get(shard)));
    // Held in the table but not here: the answer of an acquire or of a release was lost, or a commit was refused. Given
    // back, to be taken under a new epoch: writes of the old one may still be on their way.
    const unknown = held.filter((lease) => !this.epochs.has(lease.shard)).map((lease) => lease.shard);
    if (unknown.length > 0) await this.deps.store.release(this.deps.process.id, unknown);
  }
}
