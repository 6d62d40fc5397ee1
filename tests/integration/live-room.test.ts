import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io } from 'socket.io-client';
import { expect, it } from 'vitest';
import type { EventsMessage } from '@/lib/protocol/api';
import type { StreamEvent } from '@/lib/protocol/event';
import type { Clock } from '@/lib/shared/clock';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import { Live } from '@/server/adapters/socketio/live';
import type { Log } from '@/server/ports/log';
import { eventually } from '../support/eventually';

it('a look around while somebody is about to join does not lose the room: what comes later is seen', async () => {
  const http = createServer();
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet };
  let lookAround: () => void = () => {};
  const clock: Clock = {
    now: () => 0,
    at(when, run) {
      // The recheck of rights is half a minute away; the look around is the nearer one.
      if (when === 250) lookAround = run;
      return () => {};
    },
  };
  const entries: StreamEvent[] = [];
  let asked = 0;
  let reads = 0;
  const live = new Live(http, {
    store: {
      async head() {
        asked += 1;
        // The second reading is between the making of the feed and the joining of the room.
        if (asked === 2) lookAround();
        return entries.length;
      },
      async read(_organization, _topic, after) {
        reads += 1;
        return entries.filter(({ streamSeq }) => streamSeq > after);
      },
      trimmed: async () => null,
      relay: async () => [],
    },
    access: { isUsed: async () => false, hiddenWorkflows: async () => [], workflowOf: async () => null },
    bus: createMemoryBus(),
    clock,
    log: quiet,
    streamChannel: 'stream',
    progressChannel: 'progress',
    pollMs: 250,
    checkOrigin: () => undefined,
    authenticate: async () => ({
      id: 'a',
      displayName: 'a',
      kind: 'user',
      organizationId: 'o',
      role: 'owner',
    }),
  });
  const { port } = http.address() as AddressInfo;
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true });
  try {
    const told: number[] = [];
    socket.on('events', ({ items }: EventsMessage) => told.push(...items.map(({ streamSeq }) => streamSeq)));
    expect(await socket.emitWithAck('subscribe', { topic: 'runs' })).toMatchObject({ ok: true, head: 0 });
    await eventually('its own reading, and the first one for the room', () => reads >= 2);
    const event = { runId: 'r', seq: 1, type: 'X', at: '2026-01-01T00:00:00.000Z', data: {} };
    entries.push({ streamSeq: 1, workflow: 'w', workflowId: 'w', event });
    await eventually('the entry', () => {
      lookAround();
      return told.includes(1);
    });
  } finally {
    socket.close();
    await live.close();
  }
}, 60_000);
