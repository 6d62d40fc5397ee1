import type { Socket } from 'socket.io-client';
import { StreamCursor } from '@/lib/client/stream-cursor';
import type { Timers } from '@/lib/client/timers';
import { eventsMessageSchema, subscribeAckSchema, type Topic } from '@/lib/protocol/api';
import type { StreamEvent } from '@/lib/protocol/event';

/** How often the stream's newest number is compared with ours, milliseconds. Finds a loss at the very end. */
const PROBE_MS = 5_000;
/** No answer for this long: what is shown may no longer be true. */
const ANSWER_MS = 4_000;
/** A hole that catching up does not fill within this time is given up and everything is read anew. */
const GAP_PATIENCE_MS = 3_000;

/** `connecting` before the first success, `stale` when connected but unanswered, `offline` when cut off. */
export type LivePhase = 'connecting' | 'live' | 'stale' | 'offline';

export interface LiveHandlers {
  /** The phase changed; `reason` is a sentence when something is wrong. */
  onPhase(phase: LivePhase, reason: string | null): void;
  /** The next events of the stream, in order, each once. */
  onEvents(items: StreamEvent[]): void;
  /** Events may have been missed for good (first connection, reset stream, unfillable hole): read the state. */
  onResync(): void;
  /** Connected again, and every event since has been handed on. */
  onReplayed(count: number): void;
  /** Round trip of a question to the stream, milliseconds. */
  onLatency(ms: number): void;
}

/**
 * One topic of the live stream over one socket: subscribes, catches up after a break, notices holes, and
 * never hands an event on twice. Stops for good with `close`.
 */
export class LiveConnection {
  readonly #socket: Socket;
  readonly #topic: Topic;
  readonly #handlers: LiveHandlers;
  readonly #timers: Timers;
  readonly #cursor = new StreamCursor();
  #phase: LivePhase = 'connecting';
  #everLive = false;
  #replay: { from: number; to: number } | null = null;
  #cancelProbe: (() => void) | null = null;
  #cancelGap: (() => void) | null = null;
  /** Counts subscriptions, so that a late answer to an old one is ignored. */
  #asked = 0;

  constructor(socket: Socket, topic: Topic, handlers: LiveHandlers, timers: Timers) {
    this.#socket = socket;
    this.#topic = topic;
    this.#handlers = handlers;
    this.#timers = timers;
    socket.on('connect', () => this.#subscribe('first'));
    socket.on('events', (message: unknown) => this.#receive(message));
    socket.on('disconnect', (reason) => this.#cut(`The connection was lost (${reason}).`));
    socket.on('connect_error', (error) => this.#cut(`The server cannot be reached (${error.message}).`));
    socket.connect();
  }

  /** Asks the stream at once whether anything is missing. */
  refresh(): void {
    if (this.#socket.connected) this.#subscribe('probe');
    else this.#socket.connect();
  }

  close(): void {
    this.#cancelProbe?.();
    this.#cancelGap?.();
    this.#asked++;
    this.#socket.off();
    this.#socket.disconnect();
  }

  #subscribe(why: 'first' | 'probe'): void {
    const asked = ++this.#asked;
    const after = this.#cursor.last();
    const sentAt = this.#timers.now();
    this.#cancelProbe?.();
    this.#cancelProbe = this.#timers.after(ANSWER_MS, () => {
      if (asked !== this.#asked) return;
      this.#setPhase('stale', 'The live stream does not answer.');
      this.#subscribe(why);
    });
    const message = after === null ? { topic: this.#topic } : { topic: this.#topic, after };
    this.#socket.emit('subscribe', message, (answer: unknown) => {
      if (asked !== this.#asked) return;
      this.#answered(answer, why, after, this.#timers.now() - sentAt);
    });
  }

  #answered(answer: unknown, why: 'first' | 'probe', after: number | null, tookMs: number): void {
    this.#cancelProbe?.();
    this.#cancelProbe = this.#timers.after(PROBE_MS, () => this.#subscribe('probe'));
    const ack = subscribeAckSchema.safeParse(answer);
    if (!ack.success || !ack.data.ok) {
      const said = ack.success && !ack.data.ok ? ack.data.message : 'unexpected form';
      this.#setPhase('stale', `The live stream refused the subscription: ${said}`);
      return;
    }
    const { head } = ack.data;
    this.#handlers.onLatency(tookMs);
    const again = this.#everLive && why === 'first';
    this.#everLive = true;
    const last = this.#cursor.last();
    if (last === null || after === null || head < after || (after === 0 && head > 0)) {
      // Nothing to catch up from: stand at the head and read the state as a whole.
      this.#take(this.#cursor.place(head));
      if (again) this.#handlers.onReplayed(Math.max(0, head - (after ?? head)));
      this.#handlers.onResync();
    } else if (again) {
      this.#replay = { from: after, to: head };
      this.#reportReplay();
      this.#handlers.onResync();
    }
    this.#setPhase('live', null);
  }

  #receive(message: unknown): void {
    const parsed = eventsMessageSchema.safeParse(message);
    if (!parsed.success) {
      this.#handlers.onResync();
      return;
    }
    if (parsed.data.topic !== this.#topic) return;
    this.#take(this.#cursor.accept(parsed.data.items, parsed.data.hidden));
  }

  #take(advance: { ready: StreamEvent[]; gap: boolean }): void {
    if (advance.ready.length > 0) this.#handlers.onEvents(advance.ready);
    this.#reportReplay();
    if (!advance.gap) {
      this.#cancelGap?.();
      this.#cancelGap = null;
      return;
    }
    if (this.#cancelGap !== null) return;
    this.#cancelGap = this.#timers.after(GAP_PATIENCE_MS, () => {
      this.#cancelGap = null;
      this.#take(this.#cursor.skipGap());
      this.#handlers.onResync();
    });
    if (this.#socket.connected) this.#subscribe('probe');
  }

  #reportReplay(): void {
    const replay = this.#replay;
    if (replay === null || (this.#cursor.last() ?? 0) < replay.to) return;
    this.#replay = null;
    this.#handlers.onReplayed(replay.to - replay.from);
  }

  #cut(reason: string): void {
    this.#asked++;
    this.#cancelProbe?.();
    this.#cancelProbe = null;
    this.#setPhase('offline', reason);
    // Socket.io tries again by itself, except when the server closed the connection on purpose.
    if (!this.#socket.active) this.#cancelProbe = this.#timers.after(1_000, () => this.#socket.connect());
  }

  #setPhase(phase: LivePhase, reason: string | null): void {
    if (this.#phase === phase && phase !== 'offline') return;
    this.#phase = phase;
    this.#handlers.onPhase(phase, reason);
  }
}
