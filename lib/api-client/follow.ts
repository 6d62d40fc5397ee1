import { type ApiClient, errorOf, type Schema } from '@/lib/api-client/client';
import { readMessages } from '@/lib/api-client/sse';
import { isAppError, problemSchema } from '@/lib/protocol/errors';

export interface FollowOptions {
  /** Only what comes behind this number. */
  after?: number;
  /** Ends the following; the generator then throws what `fetch` throws. */
  signal?: AbortSignal;
  /** How long an instance that is away is waited for, milliseconds. */
  patienceMs?: number;
  /** Told when the connection is gone and is made anew. */
  onLost?: (error: unknown) => void;
  /** Told when entries are not kept any more: those behind `after` up to `resumeAfter` are passed over. */
  onReset?: (reset: { after: number; resumeAfter: number }) => void;
}

const PATIENCE_MS = 60_000;
const PAUSE_MS = { first: 100, longest: 2_000 };

type Opened = { response: Response; data?: unknown };
type Open = (headers: Record<string, string>) => Promise<Opened>;

/** The events of a run until it has closed and all is told, over broken connections and restarts, each exactly once. */
export function followRun(
  client: ApiClient,
  runId: string,
  options: FollowOptions = {},
): AsyncGenerator<Schema<'RunEvent'>> {
  const { after, signal } = options;
  const open: Open = (header) =>
    client.GET('/api/v1/runs/{runId}/events', {
      params: { path: { runId }, query: { follow: '', ...(after === undefined ? {} : { after }) }, header },
      headers: { accept: 'text/event-stream' },
      parseAs: 'stream',
      ...(signal === undefined ? {} : { signal }),
    });
  return follow(open, options);
}

/**
 * The events of every run of the organisation as they come, each exactly once; behind `after` when it is given. What is not kept
 * any more is passed over, and told to `onReset`.
 */
export function followEvents(
  client: ApiClient,
  options: FollowOptions = {},
): AsyncGenerator<Schema<'StreamEvent'>> {
  const { after, signal } = options;
  const open: Open = (header) =>
    client.GET('/api/v1/events', {
      params: { query: { follow: '', ...(after === undefined ? {} : { after }) }, header },
      headers: { accept: 'text/event-stream' },
      parseAs: 'stream',
      ...(signal === undefined ? {} : { signal }),
    });
  return follow(open, options);
}

/** Reads a stream; when it breaks, opens it again behind the last number that was seen. */
async function* follow<T>(open: Open, options: FollowOptions): AsyncGenerator<T> {
  const { signal, onLost, onReset, patienceMs = PATIENCE_MS } = options;
  let seen: string | undefined;
  let lostAt: number | undefined;
  let pause = PAUSE_MS.first;
  for (;;) {
    try {
      const { response, data } = await open(seen === undefined ? {} : { 'Last-Event-ID': seen });
      if (response.status === 204) return;
      for await (const message of readMessages(data as ReadableStream<Uint8Array>)) {
        lostAt = undefined;
        pause = PAUSE_MS.first;
        if (message.event === 'end') return;
        if (message.event === 'problem') {
          const problem = problemSchema.safeParse(JSON.parse(message.data));
          throw problem.success ? errorOf(problem.data) : new Error(message.data);
        }
        if (message.id !== null) seen = message.id;
        if (message.event === 'reset') onReset?.(JSON.parse(message.data));
        else yield JSON.parse(message.data) as T;
      }
    } catch (error) {
      if (signal?.aborted || (isAppError(error) && !error.entry.retriable)) throw error;
      lostAt ??= performance.now();
      if (performance.now() - lostAt > patienceMs) throw error;
      onLost?.(error);
    }
    await sleep(pause, signal);
    pause = Math.min(pause * 2, PAUSE_MS.longest);
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
  });
}
