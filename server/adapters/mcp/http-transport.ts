import {
  type AuthProvider,
  type JSONRPCMessage,
  type OAuthClientProvider,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
  type TransportSendOptions,
} from '@modelcontextprotocol/client';
import { CallMeter } from '@/server/adapters/mcp/call-meter';
import { BodyTooLarge, type ExchangeObserver, type GuardedFetch } from '@/server/adapters/mcp/http-fetch';
import { ANSWER_TOO_LARGE, STREAM_ENDED } from '@/server/adapters/mcp/wire-codes';

/** Private header that ties an HTTP request to its JSON-RPC message inside this process; it never leaves it. */
const ID_HEADER = 'openconductor-request';

/** Where and how a server is reached over HTTP. */
export interface HttpTransportOptions {
  kind: 'streamable-http' | 'sse';
  url: URL;
  headers: Record<string, string>;
  fetch: GuardedFetch;
  auth?: AuthProvider | OAuthClientProvider;
}

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1];

interface Pending {
  id: string | number;
  message: JSONRPCMessage;
  bytesIn: number;
}

/**
 * The SDK's HTTP transports, with two things added: what each call sent and received, and an error at once when a
 * server ends its answer stream without an answer (the SDK would let the call run into its timeout).
 */
export class HttpTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  readonly meter = new CallMeter();
  readonly hasPerRequestStream: boolean;
  endedBy: string | undefined;
  private readonly inner: StreamableHTTPClientTransport | SSEClientTransport;
  private readonly pending = new Map<string, Pending>();
  private closed = false;

  constructor(private readonly options: HttpTransportOptions) {
    const { kind, url, headers, auth } = options;
    const common = {
      requestInit: { headers },
      fetch: (target: string | URL, init?: RequestInit) => this.fetch(target, init),
      ...(auth === undefined ? {} : { authProvider: auth }),
    };
    this.inner =
      kind === 'sse' ? new SSEClientTransport(url, common) : new StreamableHTTPClientTransport(url, common);
    this.hasPerRequestStream = kind === 'streamable-http';
    this.inner.onclose = () => this.ended('closed');
    this.inner.onerror = (error) => this.onerror?.(error);
    this.inner.onmessage = (message: JSONRPCMessage) => this.receive(message);
  }

  get sessionId(): string | undefined {
    return this.inner instanceof StreamableHTTPClientTransport ? this.inner.sessionId : undefined;
  }

  setProtocolVersion(version: string): void {
    this.inner.setProtocolVersion(version);
  }

  start(): Promise<void> {
    return this.inner.start();
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (!(this.inner instanceof StreamableHTTPClientTransport)) {
      this.meter.sending(message, JSON.stringify(message).length);
      return this.inner.send(message);
    }
    if (!('method' in message) || !('id' in message)) return this.inner.send(message, options as SendOptions);
    const { id } = message;
    const key = String(id);
    this.pending.set(key, { id, message, bytesIn: 0 });
    return this.inner
      .send(message, {
        ...options,
        headers: { ...options?.headers, [ID_HEADER]: key },
        onRequestStreamEnd: () => this.streamEnded(key),
      } as SendOptions)
      .catch((error: unknown) => {
        this.pending.delete(key);
        throw error;
      });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.endedBy ??= 'closed by us';
    if (this.inner instanceof StreamableHTTPClientTransport && this.inner.sessionId !== undefined) {
      // Politeness only: a server that does not answer it must not hold us up.
      const { inner } = this;
      const goodbye = inner.terminateSession().catch(() => undefined);
      await Promise.race([goodbye, new Promise((resolve) => setTimeout(resolve, 500).unref())]);
    }
    await this.inner.close();
    this.ended('closed');
  }

  private async fetch(target: string | URL, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers ?? {});
    const key = headers.get(ID_HEADER);
    headers.delete(ID_HEADER);
    const pending = key === null ? undefined : this.pending.get(key);
    let events = false;
    const observer: ExchangeObserver =
      pending === undefined
        ? { ended: () => events && this.sideStreamEnded(init) }
        : {
            sent: (bytes) => this.meter.sending(pending.message, bytes),
            received: (bytes) => {
              pending.bytesIn += bytes;
            },
            tooLarge: (error) => this.receive(tooLarge(pending.id, error)),
          };
    try {
      let response = await this.options.fetch(target, { ...init, headers }, observer);
      const token = response.status === 401 ? await this.newerToken(headers) : undefined;
      if (token !== undefined) {
        await response.body?.cancel();
        headers.set('authorization', `Bearer ${token}`);
        response = await this.options.fetch(target, { ...init, headers }, observer);
      }
      events = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
      return response;
    } catch (error) {
      if (!(error instanceof BodyTooLarge) || pending === undefined) throw error;
      return Response.json(tooLarge(pending.id, error));
    }
  }

  /**
   * The stored token, when it is not the refused one: another process has refreshed meanwhile. To refresh again would use up a
   * refresh token for nothing, and end the access of calls that are under way with this one.
   */
  private async newerToken(refused: Headers): Promise<string | undefined> {
    const { auth } = this.options;
    const sent = /^Bearer (.+)$/.exec(refused.get('authorization') ?? '')?.[1];
    if (auth === undefined || sent === undefined || !('tokens' in auth)) return undefined;
    const stored = (await auth.tokens())?.access_token;
    return stored === sent ? undefined : stored;
  }

  private receive(message: JSONRPCMessage): void {
    if (!('method' in message) && message.id !== undefined) {
      const key = String(message.id);
      this.meter.received(message, this.pending.get(key)?.bytesIn ?? 0);
      this.pending.delete(key);
    }
    if (!this.meter.told(message)) this.onmessage?.(message);
  }

  private streamEnded(key: string): void {
    const pending = this.pending.get(key);
    if (pending === undefined) return;
    const error = { code: STREAM_ENDED, message: 'The answer stream ended without an answer.' };
    this.receive({ jsonrpc: '2.0', id: pending.id, error });
  }

  /** With HTTP+SSE every answer comes over the one stream: without it the connection is dead. */
  private sideStreamEnded(init: RequestInit): void {
    if (this.options.kind !== 'sse' || (init.method ?? 'GET') !== 'GET' || this.closed) return;
    this.endedBy ??= 'the event stream ended';
    void this.inner.close();
  }

  private ended(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.endedBy ??= reason;
    this.onclose?.();
  }
}

function tooLarge(id: string | number, error: Error) {
  return { jsonrpc: '2.0' as const, id, error: { code: ANSWER_TOO_LARGE, message: error.message } };
}
