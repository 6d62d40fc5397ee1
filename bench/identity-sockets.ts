import { io, type Socket } from 'socket.io-client';
import type { BenchUser } from '@/bench/identity-seed';
import { round, type Spread, spread } from '@/bench/support/stats';

/** What connecting everybody at once gave. Times in milliseconds. */
export interface SocketFigures {
  sockets: number;
  authorised: number;
  /** From the first connection until the last one was subscribed. */
  allAuthorisedMs: number;
  /** From the start of a connection until its subscription was acknowledged. */
  each: Spread;
  serverMiBBefore: number;
  serverMiBAfter: number;
  kiBASocket: number;
  /** Sockets of the organisation in which something happened, and those among them that heard of it. */
  concerned: number;
  heard: number;
  /** Sockets of other organisations that heard of it. */
  strangers: number;
}

type Ack = { ok: boolean };

/**
 * Connects one socket for each user, all at once, each signed in by its own session; subscribes them to `runs`; then lets
 * something happen in one organisation and, after it, in another: who heard of the first by the time the second was told?
 *
 * @param happen starts a run in the organisation of a user, and gives its id
 */
export async function connectAll(
  url: string,
  users: readonly BenchUser[],
  residentBytes: () => number,
  happen: (user: BenchUser) => Promise<string>,
): Promise<SocketFigures> {
  const before = residentBytes();
  const heard = new Map<string, Set<number>>();
  const sockets: Socket[] = [];
  try {
    const begun = performance.now();
    const times = await Promise.all(
      users.map(async (user, index) => {
        const asked = performance.now();
        const socket = io(url, {
          transports: ['websocket'],
          forceNew: true,
          reconnection: false,
          timeout: 120_000,
          extraHeaders: { cookie: user.cookie },
        });
        sockets.push(socket);
        socket.on('events', ({ items }: { items: { event: { runId: string } }[] }) => {
          for (const { event } of items) {
            const who = heard.get(event.runId) ?? new Set();
            heard.set(event.runId, who.add(index));
          }
        });
        const refused = new Promise<never>((_, fail) => socket.once('connect_error', fail));
        refused.catch(() => undefined);
        const ack = (await Promise.race([
          socket.timeout(120_000).emitWithAck('subscribe', { topic: 'runs' }),
          refused,
        ])) as Ack;
        return ack.ok ? performance.now() - asked : null;
      }),
    );
    const allAuthorisedMs = performance.now() - begun;
    const authorised = times.filter((time) => time !== null);
    const after = residentBytes();
    const [first, second] = [users[0], users.at(-1)];
    if (!first || !second) throw new Error('There is nobody to connect.');
    const of = (user: BenchUser) =>
      users.flatMap((one, i) => (one.organization === user.organization ? [i] : []));
    const run = await happen(first);
    await until(() => of(first).every((i) => heard.get(run)?.has(i)));
    const later = await happen(second);
    await until(() => of(second).every((i) => heard.get(later)?.has(i)));
    const concerned = new Set(of(first));
    const listeners = [...(heard.get(run) ?? [])];
    return {
      sockets: users.length,
      authorised: authorised.length,
      allAuthorisedMs: round(allAuthorisedMs),
      each: spread(authorised),
      serverMiBBefore: round(before / 2 ** 20, 1),
      serverMiBAfter: round(after / 2 ** 20, 1),
      kiBASocket: round((after - before) / 1024 / users.length, 1),
      concerned: concerned.size,
      heard: listeners.filter((i) => concerned.has(i)).length,
      strangers: listeners.filter((i) => !concerned.has(i)).length,
    };
  } finally {
    for (const socket of sockets) socket.disconnect();
  }
}

/** Waits for what is sent over many connections; gives up after a while, and what is missing shows in the figures. */
async function until(check: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!check() && performance.now() < end) await new Promise((next) => setTimeout(next, 10));
}
