import type { Clock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';
import type { Log } from '@/server/ports/log';
import type { StreamStore } from '@/server/ports/stream-store';
import { OUTBOX_CHANNEL } from '@/server/workers/engine/host-deps';

/** Channel on which newly numbered ranges are told (`StreamRange`), as a hint to read the stream. */
export const STREAM_CHANNEL = 'stream';

const BATCH = 1_000;
/** Least time between two rounds: the first event goes at once, a stream of single commits shares rounds. */
const SPACING_MS = 5;
/** Under load a round is long: then the next one waits twice as long as it took, and leaves the database to the work itself. */
const REST_FACTOR = 2;
const MOST_SPACING_MS = 50;

/**
 * Numbers committed events per stream. Hurried by commits of this process, kept honest by polling; any number of
 * processes may run one.
 */
export class Relay {
  private busy: Promise<void> | null = null;
  private again = false;
  private waiting = false;
  private lastRound = Number.NEGATIVE_INFINITY;
  private spacing = SPACING_MS;
  private cancelWait: () => void = () => {};
  private stopped = false;
  private cancelPoll: (() => void) | null = null;
  private unsubscribe: (() => void) | null = null;

  constructor(
    private readonly deps: { store: StreamStore; bus: Bus; clock: Clock; log: Log; pollMs: number },
  ) {}

  start(): void {
    this.unsubscribe = this.deps.bus.subscribe(OUTBOX_CHANNEL, (_hint, from) => {
      // Other engines number their commits themselves.
      if (from === 'here') this.kick();
    });
    this.schedule();
    this.kick();
  }

  /** Ends after a last round, so that what was committed before is numbered. */
  async stop(): Promise<void> {
    this.unsubscribe?.();
    this.cancelPoll?.();
    this.cancelWait();
    this.stopped = true;
    await this.busy;
    await this.run();
  }

  private kick(): void {
    if (this.stopped || this.waiting) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    const { clock } = this.deps;
    const next = this.lastRound + this.spacing;
    if (clock.now() < next) {
      this.waiting = true;
      this.cancelWait = clock.at(next, () => {
        this.waiting = false;
        this.kick();
      });
      return;
    }
    this.round();
  }

  private round(): void {
    const begun = this.deps.clock.now();
    this.busy = this.run().finally(() => {
      this.lastRound = this.deps.clock.now();
      const took = this.lastRound - begun;
      this.spacing = Math.min(MOST_SPACING_MS, Math.max(SPACING_MS, REST_FACTOR * took));
      this.busy = null;
      if (!this.again) return;
      this.again = false;
      this.kick();
    });
  }

  private async run(): Promise<void> {
    try {
      const ranges = await this.deps.store.relay(BATCH);
      for (const range of ranges) this.deps.bus.publish(STREAM_CHANNEL, range);
    } catch (error) {
      this.deps.log.warn('relay', { status: 'failed', error: String(error) });
    }
  }

  private schedule(): void {
    const { clock, pollMs } = this.deps;
    this.cancelPoll = clock.at(clock.now() + pollMs, () => {
      this.kick();
      if (!this.stopped) this.schedule();
    });
  }
}
