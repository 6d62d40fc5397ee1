import { setMaxListeners } from 'node:events';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { FetchLike } from '@modelcontextprotocol/client';
import { assertUrlAllowed, guardedLookup, type NetworkPolicy } from '@/server/adapters/mcp/ssrf';

const SOCKETS_PER_ORIGIN = 256;
const NO_BODY = new Set([101, 103, 204, 205, 304]);

/** What is told about one exchange while it goes on. */
export interface ExchangeObserver {
  /** The request is on its way over an open connection: from here on the server may have got it. */
  sent?(bytes: number): void;
  /** Bytes of the body that came in. */
  received?(bytes: number): void;
  /** A stream of events was cut off because one of them was too large. */
  tooLarge?(error: BodyTooLarge): void;
  /** The body has ended, by itself or by an error. */
  ended?(): void;
}

/** A fetch of ours; `close` ends its idle connections. */
export interface GuardedFetch {
  (url: string | URL, init?: RequestInit, observer?: ExchangeObserver): Promise<Response>;
  close(): void;
}

/**
 * A fetch over keep-alive connections that reaches only what the policy allows, follows no redirect (each would need
 * a check of its own; the SDK follows those within the origin) and limits what it takes in. Over node:http, because
 * the built-in fetch offers no hook for the address that is connected to.
 */
export function createGuardedFetch(policy: NetworkPolicy, maxBodyBytes: number): GuardedFetch {
  const agentOptions = { keepAlive: true, maxSockets: SOCKETS_PER_ORIGIN, lookup: guardedLookup(policy) };
  const agents = { 'http:': new HttpAgent(agentOptions), 'https:': new HttpsAgent(agentOptions) };

  const guarded = (
    input: string | URL,
    init: RequestInit = {},
    observer: ExchangeObserver = {},
  ): Promise<Response> =>
    new Promise((resolve, reject) => {
      const url = assertUrlAllowed(input, policy);
      const { body, headers } = outgoing(init);
      const secure = url.protocol === 'https:';
      const signal = init.signal ?? undefined;
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method: init.method ?? 'GET',
        headers,
        agent: agents[secure ? 'https:' : 'http:'],
      });
      const onAbort = () =>
        request.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      // One signal stands for every exchange of a connection: many at once are no leak to warn of.
      if (signal !== undefined) setMaxListeners(0, signal);
      signal?.addEventListener('abort', onAbort, { once: true });
      const done = () => signal?.removeEventListener('abort', onAbort);
      const tellSent = () => observer.sent?.(body?.length ?? 0);
      request.once('socket', (socket) => {
        if (!socket.connecting) tellSent();
        else socket.once(secure ? 'secureConnect' : 'connect', tellSent);
      });
      request.once('error', (error) => {
        done();
        reject(signal?.aborted ? signal.reason : error);
      });
      request.once('response', (incoming) => {
        incoming.once('close', () => {
          done();
          observer.ended?.();
        });
        toResponse(incoming, maxBodyBytes, observer).then(resolve, reject);
      });
      request.end(body);
    });
  return Object.assign(guarded, {
    close: () => {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  });
}

/** The same without the observer, in the form that the SDK takes. */
export function asFetchLike(guarded: GuardedFetch): FetchLike {
  return (url, init) => guarded(url, init);
}

function outgoing(init: RequestInit): { body: Buffer | undefined; headers: Record<string, string> } {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  new Headers(init.headers ?? {}).forEach((value, name) => {
    headers[name] = value;
  });
  const { body } = init;
  if (body === null || body === undefined) return { body: undefined, headers };
  if (typeof body !== 'string' && !(body instanceof URLSearchParams))
    throw new TypeError('only text bodies are sent');
  if (body instanceof URLSearchParams)
    headers['content-type'] ??= 'application/x-www-form-urlencoded;charset=UTF-8';
  const bytes = Buffer.from(body.toString());
  headers['content-length'] = String(bytes.length);
  return { body: bytes, headers };
}

async function toResponse(
  incoming: IncomingMessage,
  maxBodyBytes: number,
  observer: ExchangeObserver,
): Promise<Response> {
  const status = incoming.statusCode ?? 502;
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '');
  }
  const init = { status, statusText: incoming.statusMessage ?? '', headers };
  if (NO_BODY.has(status)) {
    incoming.resume();
    return new Response(null, init);
  }
  const decoded = decode(incoming, headers);
  const counted = limit(decoded, maxBodyBytes, observer, isEventStream(headers));
  if (isEventStream(headers))
    return new Response(Readable.toWeb(Readable.from(counted)) as ReadableStream, init);
  // One buffer is much cheaper than a web stream, and an ordinary answer is needed whole anyway.
  const chunks: Buffer[] = [];
  for await (const chunk of counted) chunks.push(chunk);
  return new Response((chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)) as BodyInit, init);
}

function isEventStream(headers: Headers): boolean {
  return headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') === true;
}

/** Undoes a compression that was not asked for. */
function decode(incoming: IncomingMessage, headers: Headers): Readable {
  const encoding = headers.get('content-encoding')?.toLowerCase();
  if (encoding === undefined || encoding === 'identity') return incoming;
  headers.delete('content-encoding');
  headers.delete('content-length');
  const decoders = {
    gzip: createGunzip,
    'x-gzip': createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress,
  };
  const make = decoders[encoding as keyof typeof decoders];
  if (make === undefined) return incoming;
  const decoder = make();
  incoming.on('error', (error) => decoder.destroy(error));
  return incoming.pipe(decoder);
}

/** Passes chunks on until they are too many; a stream of events counts anew with each event. */
async function* limit(
  source: Readable,
  maxBytes: number,
  observer: ExchangeObserver,
  perEvent: boolean,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    observer.received?.(chunk.length);
    bytes =
      perEvent && chunk.includes('\n\n') ? chunk.length - chunk.lastIndexOf('\n\n') : bytes + chunk.length;
    if (bytes > maxBytes) {
      source.destroy();
      const error = new BodyTooLarge(maxBytes);
      if (perEvent) observer.tooLarge?.(error);
      throw error;
    }
    yield chunk;
  }
}

/** The body of an answer went over the limit. */
export class BodyTooLarge extends Error {
  readonly code = 'BODY_TOO_LARGE';
  constructor(maxBytes: number) {
    super(`The answer is over the limit of ${maxBytes} bytes.`);
  }
}
