import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { afterEach, expect, it } from 'vitest';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import { Live } from '@/server/adapters/socketio/live';
import { SystemClock } from '@/server/adapters/system-clock';
import type { Log } from '@/server/ports/log';

const cleanUps: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

it('progress of calls reaches those who watch the runs of the organisation, and nobody else', async () => {
  const http = createServer();
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const bus = createMemoryBus(() => undefined);
  const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet };
  const live = new Live(http, {
    store: { head: async () => 0, read: async () => [], trimmed: async () => null, relay: async () => [] },
    bus,
    clock: new SystemClock(),
    log: quiet,
    streamChannel: 'stream',
    progressChannel: 'progress',
    pollMs: 1_000,
    access: { isUsed: async () => false, hiddenWorkflows: async () => [], workflowOf: async () => null },
    checkOrigin: () => undefined,
    authenticate: async ({ who }) => ({
      id: String(who),
      displayName: String(who),
      kind: 'user',
      organizationId: String(who),
      role: 'owner',
    }),
  });
  cleanUps.push(() => live.close());
  const watch = async (who: string): Promise<{ socket: Socket; told: unknown[] }> => {
    const { port } = http.address() as AddressInfo;
    const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], extraHeaders: { who } });
    cleanUps.push(() => socket.close());
    const told: unknown[] = [];
    socket.on('progress', (message) => told.push(message));
    const ack = await socket.emitWithAck('subscribe', { topic: 'runs' });
    expect(ack).toMatchObject({ ok: true });
    return { socket, told };
  };
  const mine = await watch('org-1');
  const other = await watch('org-2');
  const facts = { runId: 'r', nodePath: 'a/b', at: 5, progress: 2, total: 10, message: 'half way' };
  bus.publish('progress', { organizationId: 'org-1', ...facts });
  bus.publish('progress', { organizationId: 'org-2', ...facts, progress: 3 });
  await expect
    .poll(() => [mine.told, other.told], { timeout: 30_000 })
    .toEqual([[facts], [{ ...facts, progress: 3 }]]);
});
