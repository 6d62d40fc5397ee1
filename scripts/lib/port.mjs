/** Is a port free, and if not, who has it? Node built-ins only. */
import { createServer } from 'node:net';
import { commandOf, listenerOf } from './proc.mjs';
import { Trouble } from './progress.mjs';

/**
 * @param {number} port 0 is always free
 * @param {string} host
 * @throws Trouble naming the port, its holder where that can be seen, and the way out
 */
export async function checkPortFree(port, host) {
  if (port === 0) return;
  /** @type {NodeJS.ErrnoException | undefined} */
  const error = await new Promise((resolve) => {
    const server = createServer();
    server.on('error', resolve);
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
  if (error === undefined) return;
  if (error.code === 'EADDRINUSE') {
    const pid = listenerOf(port);
    const holder = pid === undefined ? 'another program' : `process ${pid} (${commandOf(pid)})`;
    const next = port < 65535 ? port + 1 : 3000;
    throw new Trouble(`Port ${port} is in use by ${holder}. Take another one: npm start -- --port ${next}`);
  }
  if (error.code === 'EACCES') {
    throw new Trouble(`This user may not open port ${port}. Take one above 1023: npm start -- --port 3000`);
  }
  throw new Trouble(
    `Cannot listen on ${host}:${port} (${error.message}). Set HOST or --host to an address of this machine.`,
  );
}
