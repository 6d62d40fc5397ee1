import type { Clock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';
import type { Log } from '@/server/ports/log';

export interface LoopDeps {
  bus: Bus;
  clock: Clock;
  log: Log;
  /** Name in the log. */
  name: string;
  /** A message on any of these is a hint to look at once. */
  channels: readonly string[];
  pollMs: number;
  /** Least time between the begins of two turns. */
  spacingMs: number;
}

/** Does a turn again and again: after a hint, and every `pollMs` without one. One turn at a time; a failed one is logged. */
export class WebhookLoop {
  private cancelTimer: () => void = () => {};
  private unsubscribe: (() => void)[] = [];
  private busy: Promise<void> | null = null;
  private again = false;
  private stopped = false;
  private next = Number.NEGATIVE_INFINITY;

  /** @param turn does what there is to do, until nothing is left or `isStopped` */
  constructor(
    private readonly deps: LoopDeps,
    private readonly turn: (isStopped: () => boolean) => Promise<void>,
  ) {}

  start(): void {
    const { bus, channels } = this.deps;
    this.unsubscribe = channels.map((channel) => bus.subscribe(channel, () => this.kick()));
    this.kick();
  }

  /** Ends after what is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const end of this.unsubscribe) end();
    this.cancelTimer();
    await this.busy;
  }

  /** Looks now, or as soon as the turn under way is over and some time has passed. */
  kick(): void {
    if (this.stopped) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    const { clock, spacingMs } = this.deps;
    this.cancelTimer();
    if (clock.now() < this.next) {
      this.cancelTimer = clock.at(this.next, () => this.kick());
      return;
    }
    this.next = clock.now() + spacingMs;
    this.busy = this.run().finally(() => {
      this.busy = null;
      const hurried = this.again;
      this.again = false;
      if (this.stopped) return;
      if (hurried) this.kick();
      else this.cancelTimer = clock.at(clock.now() + this.deps.pollMs, () => this.kick());
    });
  }

  private async run(): Promise<void> {
    try {
      await this.turn(() => this.stopped);
    } catch (error) {
      this.deps.log.warn(this.deps.name, { status: 'failed', error: String(error) });
    }
  }
}
