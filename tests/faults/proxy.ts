import { connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  client: Socket;
  upstream: Socket;
  /** Its next answer is lost, and with it the connection. */
  doomed: boolean;
}

/**
 * A TCP proxy before Postgres that loses answers: the statement arrives and takes effect, the connection breaks before
 * its answer is through. To the process that is a write of which nobody knows whether it happened.
 */
export class FaultyProxy {
  private readonly pairs = new Set<Pair>();
  private losing = 0;
  private needle = '';
  private hanging = false;
  /** Answers lost so far. */
  lost = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
    /** The database's URL, by way of the proxy. */
    readonly url: string,
  ) {}

  /** Listens on a free port of this machine, before the database of `databaseUrl`. */
  static async start(databaseUrl: string): Promise<FaultyProxy> {
    const server = createServer();
    await new Promise<void>((done, fail) => {
      server.once('error', fail);
      server.listen(0, '127.0.0.1', done);
    });
    const address = server.address();
    if (address === null || typeof address !== 'object') throw new Error('The proxy has no port.');
    const url = new URL(databaseUrl);
    const target = { host: url.hostname, port: Number(url.port) };
    url.hostname = '127.0.0.1';
    url.port = String(address.port);
    const proxy = new FaultyProxy(server, target, url.href);
    server.on('connection', (client) => proxy.join(client));
    return proxy;
  }

  /** Loses the next `count` answers to statements whose message holds `needle`. */
  loseAnswers(count: number, needle: string): void {
    this.losing = count;
    this.needle = needle;
  }

  /** Breaks every connection at once. */
  cutAll(): void {
    for (const pair of this.pairs) this.cut(pair);
  }

  /** Lets nothing through either way, without closing anything, until `resume`. */
  hang(): void {
    this.hanging = true;
    for (const { client, upstream } of this.pairs) {
      client.pause();
      upstream.pause();
    }
  }

  resume(): void {
    this.hanging = false;
    for (const { client, upstream } of this.pairs) {
      client.resume();
      upstream.resume();
    }
  }

  /** Ends every fault. */
  heal(): void {
    this.losing = 0;
    if (this.hanging) this.resume();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise<void>((done) => {
      this.server.close(() => done());
    });
  }

  private join(client: Socket): void {
    const upstream = connect(this.target);
    const pair: Pair = { client, upstream, doomed: false };
    this.pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    client.on('data', (chunk) => {
      if (this.losing > 0 && chunk.includes(this.needle)) {
        this.losing -= 1;
        pair.doomed = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (pair.doomed) {
        this.lost += 1;
        this.cut(pair);
      } else client.write(chunk);
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => this.cut(pair));
      socket.on('close', () => this.cut(pair));
    }
    if (this.hanging) {
      client.pause();
      upstream.pause();
    }
  }

  private cut(pair: Pair): void {
    if (!this.pairs.delete(pair)) return;
    pair.client.destroy();
    pair.upstream.destroy();
  }
}
