import { connect } from 'node:net';

/** What came back over a connection until it ended, or until `enough` says that it is. */
export function sendRaw(
  url: string,
  parts: Iterable<string | Buffer>,
  enough: (received: string) => boolean = () => false,
): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((done) => {
    let received = '';
    const socket = connect(Number(port), hostname);
    const end = () => {
      socket.destroy();
      done(received);
    };
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (enough(received)) end();
    });
    // A server that has heard enough may cut the line while we still talk.
    socket.on('error', end);
    socket.on('close', end);
    const pending = parts[Symbol.iterator]();
    const pump = () => {
      for (let next = pending.next(); !next.done; next = pending.next()) {
        if (socket.destroyed) return;
        if (!socket.write(next.value)) {
          socket.once('drain', pump);
          return;
        }
      }
    };
    socket.on('connect', pump);
  });
}

/** Status of the first answer in what was received; 0 when there is none. */
export function statusOf(received: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0);
}
