import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { toRequest, writeResponse } from '@/server/adapters/http/node-http';
import { eventStream, type FeedEntry, resumeAfter } from '@/server/adapters/http/sse';
import type { Log } from '@/server/ports/log';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent };

let server: Server | undefined;
afterEach(() => server?.close());

/** A Node server in front of one handler, as the engine-only process has it. */
async function serve(handle: (request: Request) => Response): Promise<number> {
  server = createServer(
    (incoming, outgoing) => void writeResponse(outgoing, handle(toRequest(incoming, outgoing))),
  );
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('an event stream', () => {
  it('sends entries with their numbers, and the end', async () => {
    const asked: number[] = [];
    const response = eventStream(
      {
        read: async (after) => {
          asked.push(after);
          return after < 4 ? [after + 1, after + 2].map((id) => ({ id, data: { id } })) : [];
        },
        ended: async (after) => (after >= 4 ? { status: 'completed' } : null),
      },
      0,
      new AbortController().signal,
      silent,
    );
    expect(response.headers.get('cache-control')).toBe('no-store, no-transform');
    expect(await response.text()).toBe(
      'retry: 1000\n\nid: 1\ndata: {"id":1}\n\nid: 2\ndata: {"id":2}\n\nid: 3\ndata: {"id":3}\n\nid: 4\ndata: {"id":4}\n\nevent: end\ndata: {"status":"completed"}\n\n',
    );
    expect(asked).toEqual([0, 2]);
  });

  it('tells an error with its code, and ends', async () => {
    const read = async (): Promise<FeedEntry[]> => {
      throw Object.assign(new Error('gone'), { code: 'ECONNREFUSED' });
    };
    const text = await eventStream({ read }, 7, new AbortController().signal, silent).text();
    const [, message] = text.split('event: problem\ndata: ');
    expect(JSON.parse(message ?? '')).toMatchObject({ code: 'DATABASE_UNAVAILABLE', retriable: true });
  });

  it('ends without a word when the process stops', async () => {
    const stopping = new AbortController();
    const read = (_after: number, _waitMs: number, signal: AbortSignal) =>
      new Promise<FeedEntry[]>((resolve) => {
        if (signal.aborted) resolve([]);
        signal.addEventListener('abort', () => resolve([]));
      });
    const text = eventStream({ read }, 0, stopping.signal, silent).text();
    stopping.abort();
    expect(await text).toBe('retry: 1000\n\n');
  });

  it('lets go of its source when the reader hangs up', async () => {
    let released: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => {
      released = resolve;
    });
    const read = (_after: number, waitMs: number, signal: AbortSignal) =>
      new Promise<FeedEntry[]>((resolve) => {
        if (waitMs === 0) resolve([{ id: 1, data: null }]);
        else
          signal.addEventListener('abort', () => {
            released?.();
            resolve([]);
          });
      });
    const port = await serve((request) => eventStream({ read }, 0, request.signal, silent));
    const client = httpRequest({ port, host: '127.0.0.1' }, (response) => {
      response.once('data', () => client.destroy());
      response.on('error', () => {});
    });
    client.on('error', () => {});
    client.end();
    await gone;
  });

  it('does not read on for a reader that does not read', async () => {
    let reads = 0;
    const data = 'x'.repeat(100_000);
    const read = async (after: number): Promise<FeedEntry[]> => {
      reads += 1;
      return [{ id: after + 1, data }];
    };
    const port = await serve((request) => eventStream({ read }, 0, request.signal, silent));
    let more: (() => void) | undefined;
    const client = httpRequest({ port, host: '127.0.0.1' }, (response) => {
      response.pause();
      response.on('error', () => {});
      more?.();
    });
    client.on('error', () => {});
    const answered = new Promise<void>((resolve) => {
      more = resolve;
    });
    client.end();
    await answered;
    // Buffers of the kernel fill up; then the reading stands still.
    let before = -1;
    while (before !== reads) {
      before = reads;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(reads).toBeLessThan(500);
    client.destroy();
  });
});

describe('resuming', () => {
  it('goes on behind Last-Event-ID, else where it was asked to', () => {
    expect(resumeAfter(new Headers({ 'last-event-id': '42' }), 7)).toBe(42);
    expect(resumeAfter(new Headers({ 'last-event-id': 'abc' }), 7)).toBe(7);
    expect(resumeAfter(new Headers(), undefined)).toBeUndefined();
  });
});
