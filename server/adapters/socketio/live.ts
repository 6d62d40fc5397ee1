import type { Server as HttpServer } from 'node:http';
import { Server, type Socket } from 'socket.io';
import type { Actor } from '@/lib/protocol/actor';
import {
  type EventsMessage,
  type ProgressMessage,
  type SubscribeAck,
  subscribeMessageSchema,
  type Topic,
} from '@/lib/protocol/api';
import { toAppError, zodToAppError } from '@/lib/protocol/errors';
import type { StreamEvent } from '@/lib/protocol/event';
import { requirePermission, TOPIC_PERMISSIONS } from '@/lib/protocol/permissions';
import type { Clock } from '@/lib/shared/clock';
import { Limiter } from '@/server/adapters/mcp/limiter';
import type { ActivityProgress } from '@/server/ports/activity';
import type { Bus } from '@/server/ports/bus';
import type { Log } from '@/server/ports/log';
import type { StreamRange, StreamStore } from '@/server/ports/stream-store';
import { ACCESS_CHANNEL, type AccessService } from '@/server/services/access-service';

const PAGE = 500;
/** More than this behind, a client is better served by rereading the lists than by a replay. */
const MAX_REPLAY = 5_000;

const RECHECK_MS = 30_000;
/**
 * Connections that are looked up at the same time. When everybody comes back at once (after a restart) the others wait in
 * line here, where nothing runs out, instead of for a connection to the database, where that takes 5 s and then fails.
 */
const LOOK_UPS = 8;
const NEVER = new AbortController().signal;

/** What a socket may not see is looked up this often while it is sent things, besides when it is told to have changed. */
const REMEMBER_MS = 1_000;

export interface LiveDeps {
  store: StreamStore;
  bus: Bus;
  clock: Clock;
  log: Log;
  streamChannel: string;
  /** Messages are `ActivityProgress`: passed on to who watches the runs, and kept nowhere. */
  progressChannel: string;
  /** How often heads are looked at when no hint comes (the relay may be in another process). */
  pollMs: number;
  /** How often a connection's rights are looked at again, in milliseconds; 30 s when left out. */
  recheckMs?: number;
  access: Pick<AccessService, 'isUsed' | 'hiddenWorkflows' | 'workflowOf'>;
  authenticate: (headers: Record<string, string | string[] | undefined>, address?: string) => Promise<Actor>;
  /** Refuses a connection by its Host and Origin headers; throws FORBIDDEN_ORIGIN. */
  checkOrigin: (headers: Record<string, string | string[] | undefined>) => void;
}

/** The live socket: one room per (organisation, topic); what is sent is read from the numbered stream, never from hints. */
export class Live {
  private readonly io: Server;
  /** Counts changes of who reaches what: what sockets remember of it is looked up again. */
  private sharing = 0;
  private readonly feeds = new Map<string, RoomFeed>();
  private readonly unsubscribe: () => void;
  private cancelPoll: () => void = () => {};
  private readonly lookUps = new Limiter(LOOK_UPS);

  constructor(
    http: HttpServer,
    private readonly deps: LiveDeps,
  ) {
    this.io = new Server(http, {
      transports: ['websocket'],
      serveClient: false,
      maxHttpBufferSize: 64 * 1024,
    });
    this.io.use((socket, next) => {
      this.admit(socket).then(
        () => next(),
        (error: unknown) => next(new Error(toAppError(error).code)),
      );
    });
    this.io.on('connection', (socket) => {
      this.recheck(socket);
      socket.once('disconnect', () => (socket.data.cancelRecheck as () => void)());
      socket.on('subscribe', (message: unknown, ack: unknown) => {
        void this.subscribe(
          socket,
          message,
          typeof ack === 'function' ? (ack as (a: SubscribeAck) => void) : () => {},
        );
      });
    });
    const stopRanges = deps.bus.subscribe(deps.streamChannel, (range) => {
      const { organizationId, topic } = range as StreamRange;
      this.feeds.get(roomOf(organizationId, topic))?.pull();
    });
    const stopProgress = deps.bus.subscribe(deps.progressChannel, (told) => {
      this.progress(told as ActivityProgress).catch((error: unknown) =>
        deps.log.warn('live_progress', { status: 'failed', error: String(error) }),
      );
    });
    const stopAccess = deps.bus.subscribe(ACCESS_CHANNEL, () => {
      this.sharing += 1;
    });
    this.unsubscribe = () => {
      stopRanges();
      stopProgress();
      stopAccess();
    };
    this.poll();
  }

  /** Connected browsers. */
  get connections(): number {
    return this.io.engine.clientsCount;
  }

  /** Rooms that somebody is in: one for each connection, and `organisation:topic` of what is watched. */
  get rooms(): Iterable<string> {
    return this.io.sockets.adapter.rooms.keys();
  }

  async close(): Promise<void> {
    this.unsubscribe();
    this.cancelPoll();
    await this.io.close();
  }

  private async admit(socket: Socket): Promise<void> {
    this.deps.checkOrigin(socket.handshake.headers);
    const { headers, address } = socket.handshake;
    socket.data.actor = await this.inTurn(() => this.deps.authenticate(headers, address));
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.lookUps.acquire(NEVER);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /**
   * Asks again, every so often, who is there: whoever was signed out, removed, or may less than before loses the connection (and
   * can connect anew as what they are now). A database that does not answer ends nothing.
   */
  private recheck(socket: Socket): void {
    const { clock, recheckMs = RECHECK_MS, authenticate } = this.deps;
    socket.data.cancelRecheck = clock.at(clock.now() + recheckMs, () => {
      const { headers, address } = socket.handshake;
      this.inTurn(() => authenticate(headers, address)).then(
        (now) => {
          const before = socket.data.actor as Actor;
          if (socket.disconnected) return;
          if (rightsOf(now) === rightsOf(before)) this.recheck(socket);
          else socket.disconnect(true);
        },
        (error: unknown) => {
          const { code } = toAppError(error);
          if (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN') socket.disconnect(true);
          else if (!socket.disconnected) this.recheck(socket);
        },
      );
    });
  }

  private async subscribe(
    socket: Socket,
    message: unknown,
    ack: (answer: SubscribeAck) => void,
  ): Promise<void> {
    try {
      const parsed = subscribeMessageSchema.safeParse(message);
      if (!parsed.success) throw zodToAppError(parsed.error);
      const { topic, after } = parsed.data;
      const actor = socket.data.actor as Actor;
      requirePermission(actor, TOPIC_PERMISSIONS[topic]);
      const { organizationId } = actor;
      const room = roomOf(organizationId, topic);
      const head = await this.inTurn(async () => {
        await this.feed(organizationId, topic);
        return this.deps.store.head(organizationId, topic);
      });
      let sent = after ?? head;
      if (head - sent > MAX_REPLAY) sent = head - MAX_REPLAY;
      ack({ ok: true, head });
      // What came up while reading is either in the next page or, once the room is joined, sent by the feed; an entry
      // sent twice is dropped by its number.
      await socket.join(room);
      // A look around (poll) lets go of the feed of an empty room, which this one was until now.
      const feed = await this.feed(organizationId, topic);
      for (;;) {
        const items = await this.inTurn(() => this.deps.store.read(organizationId, topic, sent, PAGE));
        if (items.length > 0) await this.sendTo(socket, topic, items);
        sent = items.at(-1)?.streamSeq ?? sent;
        if (items.length < PAGE) break;
      }
      feed.pull();
    } catch (error) {
      const { code, message: text } = toAppError(error);
      ack({ ok: false, code, message: text });
    }
  }

  private async feed(organizationId: string, topic: Topic): Promise<RoomFeed> {
    const room = roomOf(organizationId, topic);
    let feed = this.feeds.get(room);
    if (!feed) {
      const send = (items: StreamEvent[]) => this.sendToRoom(organizationId, topic, items);
      feed = new RoomFeed(this.deps.store, organizationId, topic, send, this.deps.log);
      this.feeds.set(room, feed);
    }
    await feed.ready;
    return feed;
  }

  /** One message for all where nothing is hidden from anybody; else each socket gets what its actor may see. */
  private async sendToRoom(organizationId: string, topic: Topic, items: StreamEvent[]): Promise<void> {
    const room = roomOf(organizationId, topic);
    if (topic !== 'runs' || !(await this.deps.access.isUsed(organizationId))) {
      this.io.to(room).emit('events', { topic, items } satisfies EventsMessage);
      return;
    }
    for (const socket of this.socketsIn(room)) await this.sendTo(socket, topic, items);
  }

  private async sendTo(socket: Socket, topic: Topic, items: StreamEvent[]): Promise<void> {
    const names = topic === 'runs' ? await this.hiddenFrom(socket) : [];
    const isHidden = ({ workflow }: StreamEvent) => names.includes(workflow);
    const hidden = items.filter(isHidden).map(({ streamSeq }) => streamSeq);
    const message: EventsMessage =
      hidden.length === 0
        ? { topic, items }
        : { topic, items: items.filter((item) => !isHidden(item)), hidden };
    socket.emit('events', message);
  }

  private async progress({ organizationId, ...facts }: ActivityProgress): Promise<void> {
    const message: ProgressMessage = facts;
    const room = roomOf(organizationId, 'runs');
    if (!(await this.deps.access.isUsed(organizationId))) {
      this.io.to(room).volatile.emit('progress', message);
      return;
    }
    const workflow = await this.deps.access.workflowOf(organizationId, facts.runId);
    for (const socket of this.socketsIn(room)) {
      const names = await this.hiddenFrom(socket);
      if (workflow !== null && !names.includes(workflow)) socket.volatile.emit('progress', message);
    }
  }

  /** Names of the workflows that a socket's actor does not see, remembered for a second. */
  private async hiddenFrom(socket: Socket): Promise<string[]> {
    const now = this.deps.clock.now();
    const known = socket.data.hidden as { names: string[]; at: number; sharing: number } | undefined;
    if (known !== undefined && known.sharing === this.sharing && now - known.at < REMEMBER_MS)
      return known.names;
    const { sharing } = this;
    const names = await this.deps.access.hiddenWorkflows(socket.data.actor as Actor);
    socket.data.hidden = { names, at: now, sharing };
    return names;
  }

  private socketsIn(room: string): Socket[] {
    return [...(this.io.sockets.adapter.rooms.get(room) ?? [])].flatMap(
      (id) => this.io.sockets.sockets.get(id) ?? [],
    );
  }

  private poll(): void {
    const { clock, pollMs } = this.deps;
    this.cancelPoll = clock.at(clock.now() + pollMs, () => {
      for (const [room, feed] of this.feeds) {
        // A room that everybody left needs no reading; its feed starts anew from the head with the next visitor.
        if ((this.io.sockets.adapter.rooms.get(room)?.size ?? 0) > 0) feed.pull();
        else this.feeds.delete(room);
      }
      this.poll();
    });
  }
}

/** All that decides what an actor may watch. */
function rightsOf({ id, organizationId, role, permissions }: Actor): string {
  return JSON.stringify([id, organizationId, role, permissions ?? null]);
}

function roomOf(organizationId: string, topic: Topic): string {
  return `${organizationId}:${topic}`;
}

/**
 * Sends new stream entries to a room, in order, one read at a time. The first entry goes at once; entries that come
 * while a read is under way go together in the next.
 */
class RoomFeed {
  readonly ready: Promise<void>;
  private sent = 0;
  private reading = false;
  private again = false;

  constructor(
    private readonly store: StreamStore,
    private readonly organizationId: string,
    private readonly topic: Topic,
    private readonly send: (items: StreamEvent[]) => Promise<void>,
    private readonly log: Log,
  ) {
    this.ready = store.head(organizationId, topic).then((head) => {
      this.sent = head;
    });
  }

  pull(): void {
    if (this.reading) this.again = true;
    else void this.run();
  }

  private async run(): Promise<void> {
    this.reading = true;
    try {
      await this.ready;
      do {
        this.again = false;
        const items = await this.store.read(this.organizationId, this.topic, this.sent, PAGE);
        if (items.length > 0) {
          this.sent = items.at(-1)?.streamSeq ?? this.sent;
          await this.send(items);
        }
        if (items.length === PAGE) this.again = true;
      } while (this.again);
    } catch (error) {
      this.log.warn('live_feed', { status: 'failed', error: String(error) });
    } finally {
      this.reading = false;
    }
  }
}
