import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A delivery as it came over the wire. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
}

/** A local HTTP server that remembers what it was sent and answers as it is told. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  /** Status of each answer; asked once a request. `hang` never answers. */
  answer: (request: Received) => number | 'hang' = () => 204;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<WebhookReceiver> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const one = {
          path: request.url ?? '',
          headers: request.headers,
          text: Buffer.concat(chunks).toString(),
        };
        const status = receiver.answer(one);
        receiver.received.push(one);
        if (status !== 'hang') response.writeHead(status).end();
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const receiver = new WebhookReceiver(server, `http://127.0.0.1:${port}`);
    return receiver;
  }

  /** What came for a path, parsed. */
  bodies<T = Record<string, unknown>>(path: string): T[] {
    return this.received.filter((one) => one.path === path).map(({ text }) => JSON.parse(text) as T);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((done) => this.server.close(() => done()));
  }
}
