import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket as ServerSocket } from 'socket.io';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveConnection, type LivePhase } from '@/lib/client/live-connection';
import { createSocket } from '@/lib/client/socket';
import { browserTimers } from '@/lib/client/timers';
import type { SubscribeMessage } from '@/lib/protocol/api';
import type { StreamEvent } from '@/lib/protocol/event';

const event = (streamSeq: number): StreamEvent => ({
  streamSeq,
  workflow: 'w',
  workflowId: 'id',
  event: { runId: 'r', seq: streamSeq, type: 'X', at: '2026-01-01T00:00:00.000Z', data: {} },
});

/** A server with the contract's stream: keeps a log, answers `subscribe` with the head, then sends the rest. */
class StreamServer {
  log: StreamEvent[] = [];
  asked: (number | undefined)[] = [];
  refuse = false;
  #http: HttpServer | null = null;
  #io: Server | null = null;
  port = 0;

  async listen(): Promise<void> {
    this.#http = createServer();
    this.#io = new Server(this.#http);
    this.#io.on('connection', (socket) => this.#serve(socket));
    await new Promise<void>((done) => this.#http?.listen(this.port, '127.0.0.1', done));
    this.port = (this.#http.address() as AddressInfo).port;
  }
  #serve(socket: ServerSocket) {
    socket.on('subscribe', (message: SubscribeMessage, ack: (answer: unknown) => void) => {
      this.asked.push(message.after);
      if (this.refuse) return ack({ ok: false, code: 'FORBIDDEN', message: 'not yours' });
      ack({ ok: true, head: this.log.at(-1)?.streamSeq ?? 0 });
      const after = message.after ?? 0;
      const missed = after === 0 ? [] : this.log.filter((item) => item.streamSeq > after);
      if (missed.length > 0) socket.emit('events', { topic: 'runs', items: missed });
    });
  }
  /** Commits events; sends all of them but those that get lost on the way. */
  publish(seqs: number[], lost: number[] = []) {
    const items = seqs.map(event);
    this.log.push(...items);
    this.#io?.emit('events', {
      topic: 'runs',
      items: items.filter((item) => !lost.includes(item.streamSeq)),
    });
  }
  send(message: unknown) {
    this.#io?.emit('events', message);
  }
  async close(): Promise<void> {
    await this.#io?.close();
  }
}

let server: StreamServer;
let open: LiveConnection | null = null;

beforeEach(async () => {
  server = new StreamServer();
  await server.listen();
});
afterEach(async () => {
  open?.close();
  open = null;
  await server.close();
});

function connect() {
  const seen = {
    phases: [] as LivePhase[],
    reasons: [] as (string | null)[],
    seqs: [] as number[],
    resyncs: 0,
    replayed: [] as number[],
    latency: [] as number[],
  };
  open = new LiveConnection(
    createSocket(`http://127.0.0.1:${server.port}`),
    'runs',
    {
      onPhase: (phase, reason) => {
        seen.phases.push(phase);
        seen.reasons.push(reason);
      },
      onEvents: (items) => seen.seqs.push(...items.map((item) => item.streamSeq)),
      onResync: () => seen.resyncs++,
      onReplayed: (count) => seen.replayed.push(count),
      onLatency: (ms) => seen.latency.push(ms),
    },
    browserTimers,
  );
  return seen;
}
const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 10 });

describe('LiveConnection', { timeout: 20_000 }, () => {
  it('stands at the head at first, asks for the state once, then hands events on in order', async () => {
    server.log = [event(1), event(2)];
    const seen = connect();
    await until(() => expect(seen.phases).toEqual(['live']));
    expect(seen.resyncs).toBe(1);
    expect(server.asked).toEqual([undefined]);
    server.publish([3, 4]);
    server.publish([5]);
    await until(() => expect(seen.seqs).toEqual([3, 4, 5]));
    expect(seen.latency[0]).toBeGreaterThanOrEqual(0);
    expect(seen.replayed).toEqual([]);
  });

  it('notices a hole, asks for what is missing, and loses nothing', async () => {
    server.log = [event(1)];
    const seen = connect();
    await until(() => expect(seen.phases).toEqual(['live']));
    server.publish([2, 3, 4], [2, 3]);
    await until(() => expect(seen.seqs).toEqual([2, 3, 4]));
    expect(server.asked).toEqual([undefined, 1]);
    expect(seen.resyncs).toBe(1);
  });

  it('replays what happened while it was cut off, and says how much', async () => {
    server.log = [event(1)];
    const seen = connect();
    await until(() => expect(seen.phases).toEqual(['live']));
    server.publish([2]);
    await until(() => expect(seen.seqs).toEqual([2]));
    await server.close();
    await until(() => expect(seen.phases).toContain('offline'));
    server.log.push(event(3), event(4), event(5));
    await server.listen();
    await until(() => expect(seen.replayed).toEqual([3]));
    expect(seen.seqs).toEqual([2, 3, 4, 5]);
    expect(seen.phases.at(-1)).toBe('live');
    server.publish([6]);
    await until(() => expect(seen.seqs.at(-1)).toBe(6));
  });

  it('starts over when the stream is shorter than what it has seen', async () => {
    server.log = [event(1), event(2), event(3)];
    const seen = connect();
    await until(() => expect(seen.resyncs).toBe(1));
    await server.close();
    await until(() => expect(seen.phases).toContain('offline'));
    server.log = [];
    await server.listen();
    await until(() => expect(seen.resyncs).toBe(2));
    server.publish([1]);
    await until(() => expect(seen.seqs).toEqual([1]));
  });

  it('says why when the server refuses', async () => {
    server.refuse = true;
    const seen = connect();
    await until(() => expect(seen.phases).toEqual(['stale']));
    expect(seen.reasons[0]).toContain('not yours');
  });

  it('reads the state anew after a message that it cannot understand', async () => {
    const seen = connect();
    await until(() => expect(seen.resyncs).toBe(1));
    server.send({ topic: 'runs', items: [{ nonsense: true }] });
    await until(() => expect(seen.resyncs).toBe(2));
  });
});
