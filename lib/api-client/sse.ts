/** One message of an event stream. */
export interface SseMessage {
  id: string | null;
  event: string | null;
  data: string;
}

/**
 * Messages of a stream of server-sent events, each only once it is complete (ended by an empty line): what a broken connection
 * leaves half-sent does not count, as in a browser. Comments are left out.
 */
export async function* readMessages(body: ReadableStream<Uint8Array>): AsyncGenerator<SseMessage> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = '';
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      rest = (rest + decoder.decode(next.value, { stream: true })).replaceAll('\r\n', '\n');
      for (let cut = rest.indexOf('\n\n'); cut >= 0; cut = rest.indexOf('\n\n')) {
        const message = parse(rest.slice(0, cut));
        rest = rest.slice(cut + 2);
        if (message !== null) yield message;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parse(block: string): SseMessage | null {
  const data: string[] = [];
  let id: string | null = null;
  let event: string | null = null;
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(\w+)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === 'data') data.push(value);
    else if (name === 'id') id = value;
    else if (name === 'event') event = value;
  }
  return data.length === 0 ? null : { id, event, data: data.join('\n') };
}
