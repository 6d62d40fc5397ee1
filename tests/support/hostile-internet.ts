import { readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const TAP = pathToFileURL(resolve(import.meta.dirname, '../fixtures/attacks/network-tap.mjs')).href;

/** The one public address of the test: whoever connects to it reaches this machine. */
export const INTERNET = '93.184.215.14';

/** Addresses where nothing of a stranger's may ever lead, as the resolver of an attacker would give them. */
const INSIDE = ['127.0.0.1', '169.254.169.254', '10.0.0.1', '::1', 'fe80::1', '::ffff:127.0.0.1'];

/** What a process under test did on the network. */
interface Trace {
  /** Addresses of connections. */
  connects: string[];
  /** Names and what they resolved to. */
  resolved: { name: string; address: string }[];
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A server of an attacker, at public addresses as far as the process under test can see, beside a server inside the network
 * that nobody but the machine itself should reach.
 */
export class HostileInternet {
  /** What the attacker's server answers; by path. */
  readonly answers = new Map<string, Answer>();
  /** Requests that reached the inner server. */
  readonly breaches: string[] = [];
  /** Requests that reached the attacker's server. */
  readonly asked: string[] = [];
  private readonly logFile = join(tmpdir(), `oc-tap-${process.pid}-${Date.now()}.jsonl`);

  private constructor(
    private readonly outer: Server,
    private readonly inner: Server,
    readonly port: number,
    readonly innerPort: number,
  ) {}

  static async start(): Promise<HostileInternet> {
    const outer = createServer((request, response) => world.serve(request, response));
    const inner = createServer((request, response) => {
      world.breaches.push(`${request.method} ${request.url}`);
      response.end('inside');
    });
    for (const server of [outer, inner])
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const portOf = (server: Server) => (server.address() as AddressInfo).port;
    const world = new HostileInternet(outer, inner, portOf(outer), portOf(inner));
    return world;
  }

  /** The attacker's origin. */
  get origin(): string {
    return `http://evil.attack.test:${this.port}`;
  }

  /** Settings with which a process lives in this network. */
  get env(): Record<string, string> {
    const names: Record<string, string[]> = { 'evil.attack.test': [INTERNET] };
    for (const [index, address] of INSIDE.entries()) {
      names[`inside${index}.attack.test`] = [address];
      // Public when it is looked at, inside when it is used, and the other way round.
      names[`rebind${index}.attack.test`] = [INTERNET, address];
      names[`redo${index}.attack.test`] = [address, INTERNET];
    }
    return {
      NODE_OPTIONS: `--import ${TAP}`,
      TAP_LOG: this.logFile,
      TAP_NAMES: JSON.stringify(names),
      TAP_PORT: String(this.port),
    };
  }

  /** Host names that lead inside, at once or on the second look. */
  get treacherousHosts(): string[] {
    return INSIDE.flatMap((_, i) => ['inside', 'rebind', 'redo'].map((kind) => `${kind}${i}.attack.test`));
  }

  /** What happened since the last look. */
  trace(): Trace {
    const lines = safeRead(this.logFile)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { connect?: string; resolved?: string; address?: string });
    rmSync(this.logFile, { force: true });
    return {
      connects: lines.flatMap(({ connect }) => (connect === undefined ? [] : [connect])),
      resolved: lines.flatMap(({ resolved, address }) =>
        resolved === undefined ? [] : [{ name: resolved, address: address ?? '' }],
      ),
    };
  }

  async stop(): Promise<void> {
    for (const server of [this.outer, this.inner]) {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    }
    rmSync(this.logFile, { force: true });
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', this.origin);
    this.asked.push(`${request.method} ${request.headers.host} ${pathname}`);
    const answer = this.answers.get(pathname);
    request.resume();
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  }
}

function safeRead(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
