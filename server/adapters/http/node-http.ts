import type { IncomingMessage, ServerResponse } from 'node:http';
import { ReadableStream } from 'node:stream/web';

/**
 * A Node request as a web Request; the body is a stream. The request's signal fires when the caller hangs up: before the
 * request is complete, or (a GET is complete at once) before `outgoing` has been sent.
 *
 * What nobody has read of the body when the answer is sent is read and dropped: it would stand before the next request of the
 * same connection, which then got no answer.
 */
export function toRequest(incoming: IncomingMessage, outgoing: ServerResponse): Request {
  const gone = new AbortController();
  incoming.once('close', () => {
    if (!incoming.complete) gone.abort();
  });
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  outgoing.once('finish', () => incoming.resume());
  const method = incoming.method ?? 'GET';
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) headers.append(name, one);
  }
  return new Request(addressOf(incoming), {
    method,
    headers,
    signal: gone.signal,
    ...(hasBody ? { body: bodyOf(incoming), duplex: 'half' } : {}),
  } as RequestInit);
}

/** Takes nothing from the connection before it is asked to, and leaves the connection open when it is given up. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  return ReadableStream.from(incoming.iterator({ destroyOnReturn: false }));
}

/** A path that begins with two slashes is a path, not another host. What is no host name is refused later, by its header. */
function addressOf({ url = '/', headers }: IncomingMessage): string {
  if (!url.startsWith('/')) return URL.canParse(url) ? url : 'http://localhost/';
  const address = `http://${headers.host ?? 'localhost'}${url}`;
  return URL.canParse(address) ? address : `http://localhost${url}`;
}

/** Sends a web Response over a Node one, as fast as the caller takes it. A caller that hangs up ends its source. */
export async function writeResponse(outgoing: ServerResponse, response: Response): Promise<void> {
  const cookies = response.headers.getSetCookie();
  const headers: Record<string, string | string[]> = Object.fromEntries(response.headers);
  // As a list: each cookie is a header of its own.
  if (cookies.length > 0) headers['set-cookie'] = cookies;
  outgoing.writeHead(response.status, headers);
  if (!response.body) {
    outgoing.end();
    return;
  }
  if (outgoing.req.method === 'HEAD') {
    outgoing.end();
    await response.body.cancel();
    return;
  }
  const reader = response.body.getReader();
  let proceed: (() => void) | undefined;
  outgoing.once('close', () => {
    proceed?.();
    if (!outgoing.writableFinished) reader.cancel().catch(() => {});
  });
  // Head, body and end of a short answer leave in one piece: they are all there before this turn ends.
  outgoing.cork();
  setImmediate(() => outgoing.uncork());
  for (;;) {
    const { done, value } = await reader.read();
    if (done || outgoing.destroyed) break;
    if (outgoing.write(value)) continue;
    await new Promise<void>((resolve) => {
      proceed = resolve;
      outgoing.once('drain', resolve);
    });
  }
  outgoing.end();
}
