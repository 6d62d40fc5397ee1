import { toAppError, toProblem } from '@/lib/protocol/errors';
import type { Log } from '@/server/ports/log';

/** Comments that keep connections open through proxies, milliseconds. */
const HEARTBEAT_MS = 15_000;
/** What a browser waits before it connects again, milliseconds. */
const RETRY_MS = 1_000;

/** One entry of a feed. `id` is what a reader that connects again sends in Last-Event-ID. */
export interface FeedEntry {
  id: number;
  data: unknown;
  /** Name of the message; a plain one when left out. */
  event?: string;
}

export interface Feed {
  /** Entries behind `after`, in order; waits up to `waitMs` for the first. */
  read(after: number, waitMs: number, signal: AbortSignal): Promise<FeedEntry[]>;
  /** Something when nothing can follow `after`: told in the last message, `event: end`. Asked when a reading gave nothing new. */
  ended?(after: number, last: FeedEntry | undefined): Promise<unknown | null>;
}

/**
 * A feed as server-sent events. Each entry is one message `id` + `data` (JSON). Reading follows the caller: who reads slowly is
 * sent pages of what has gathered, nothing is kept for them in memory. An error ends the stream with `event: problem`; the
 * browser connects again and goes on behind the last id it saw.
 */
export function eventStream(
  feed: Feed,
  after: number,
  signal: AbortSignal,
  log: Log,
  heartbeatMs = HEARTBEAT_MS,
): Response {
  const encoder = new TextEncoder();
  const gone = new AbortController();
  const either = AbortSignal.any([signal, gone.signal]);
  let seen = after;
  let waitMs = 0;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`));
    },
    async pull(controller) {
      const send = (text: string) => controller.enqueue(encoder.encode(text));
      try {
        const entries = await feed.read(seen, waitMs, either);
        if (gone.signal.aborted) return;
        if (signal.aborted) {
          controller.close();
          return;
        }
        const last = entries.at(-1);
        if (last !== undefined) {
          seen = last.id;
          send(entries.map(message).join(''));
        }
        const end = await feed.ended?.(seen, last);
        if (end != null) {
          send(`event: end\ndata: ${JSON.stringify(end)}\n\n`);
          controller.close();
        } else if (last === undefined && waitMs > 0) send(': still here\n\n');
        else if (last === undefined) send(': waiting\n\n');
        waitMs = heartbeatMs;
      } catch (error) {
        if (gone.signal.aborted) return;
        if (signal.aborted) {
          // The process stops, and the stores with it: the reader connects to whoever comes next.
          controller.close();
          return;
        }
        const failure = toAppError(error);
        const cause = failure.cause instanceof Error ? failure.cause.stack : failure.cause;
        log.warn('event_stream', {
          status: 'failed',
          code: failure.code,
          after: seen,
          error: failure.message,
          cause,
        });
        send(`event: problem\ndata: ${JSON.stringify(toProblem(failure))}\n\n`);
        controller.close();
      }
    },
    cancel() {
      gone.abort();
    },
  });
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      // no-transform: whoever compresses on the way would hold messages back.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    },
  });
}

function message({ id, data, event }: FeedEntry): string {
  const name = event === undefined ? '' : `event: ${event}\n`;
  return `${name}id: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Where a reader goes on: Last-Event-ID when it is a number (a browser that connects again), else what was asked for. */
export function resumeAfter<T extends number | undefined>(headers: Headers, asked: T): number | T {
  const id = headers.get('last-event-id');
  return id !== null && /^\d{1,15}$/.test(id) ? Number(id) : asked;
}
