/** One message of an event stream. */
export interface SseMessage {
  id: string | null;
  event: string | null;
  data: string;
}

/** A stream that was opened: its answer, and its messages as they come. Aborting `signal` kills the connection. */
export async function openStream(url: string, headers: Record<string, string>, signal: AbortSignal) {
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal });
  return { response, messages: () => readMessages(response) };
}

/**
 * Messages of an answer, each only once it is complete (ended by an empty line): what a killed connection leaves half-sent
 * does not count, as in a browser.
 */
async function* readMessages(response: Response): AsyncGenerator<SseMessage> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    for (let cut = rest.indexOf('\n\n'); cut >= 0; cut = rest.indexOf('\n\n')) {
      const message = parse(rest.slice(0, cut));
      rest = rest.slice(cut + 2);
      if (message !== null) yield message;
    }
  }
}

function parse(block: string): SseMessage | null {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const cut = line.indexOf(': ');
    if (cut > 0) fields.set(line.slice(0, cut), line.slice(cut + 2));
  }
  const data = fields.get('data');
  if (data === undefined) return null;
  return { id: fields.get('id') ?? null, event: fields.get('event') ?? null, data };
}
