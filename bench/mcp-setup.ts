import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { createEngineUnderTest, type EngineUnderTest } from '@/bench/engine-under-test';
import { cleanUpLater } from '@/bench/support/cleanup';
import { ECHO_SERVER, ROOT } from '@/bench/support/root';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { createMcpFleet } from '@/server/adapters/mcp/fleet';
import { SystemClock } from '@/server/adapters/system-clock';
import { staticServerRegistry } from '@/server/services/fleet-config';

/** Steps of one run: what its start and end cost is shared by so many calls. */
export const STEPS = 10;
const ORGANIZATION = '018f0000-0000-7000-8000-000000000001';
const EVERYTHING = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');

type Over = 'stdio' | 'http';

/** What the scenarios measure with. */
export interface McpBench {
  engine: EngineUnderTest;
  /** One call by the SDK's own client, on a server process (or session) of its own. */
  bare(over: Over, ms: number): Promise<void>;
  /** One run of STEPS calls, one after another. */
  run(workflow: string, ms: number): Promise<void>;
  close(): Promise<void>;
}

const chain = (
  name: string,
  server: string,
  tool: string,
  args: Record<string, string | number>,
  idempotent: boolean,
) =>
  ({
    schemaVersion: 1,
    name,
    nodes: Array.from({ length: STEPS }, (_, i) => ({
      id: `call${i}`,
      kind: 'mcp-server' as const,
      server,
      tool,
      arguments: args,
      idempotent,
    })),
    edges: Array.from({ length: STEPS - 1 }, (_, i) => ({ from: `call${i}`, to: `call${i + 1}` })),
  }) satisfies WorkflowDefinition;

const NOOP: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'noop-0',
  nodes: Array.from({ length: STEPS }, (_, i) => ({
    id: `call${i}`,
    kind: 'activity' as const,
    activity: 'noop',
  })),
  edges: Array.from({ length: STEPS - 1 }, (_, i) => ({ from: `call${i}`, to: `call${i + 1}` })),
};

/** Opens engine, fleet and bare clients on the same kinds of servers. */
export async function openMcpBench(databaseUrl: string): Promise<McpBench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'oc-bench-mcp-'));
  cleanUpLater(() => rm(dataDir, { recursive: true, force: true }));
  const port = await freePort();
  const remote = spawn(process.execPath, [EVERYTHING, 'streamableHttp'], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  cleanUpLater(() => void remote.kill('SIGKILL'));
  remote.stderr.resume();
  const url = `http://127.0.0.1:${port}/mcp`;
  await answers(url);

  const stdio = { type: 'stdio' as const, command: 'node', args: [ECHO_SERVER], env: {}, concurrency: 64 };
  const fleet = createMcpFleet({
    servers: staticServerRegistry(ORGANIZATION, [
      { name: 'local', config: stdio },
      { name: 'remote', config: { type: 'streamable-http', url, headers: {} } },
    ]),
    clock: new SystemClock(),
    log: { debug() {}, info() {}, warn() {} },
    dataDir,
    stdioCommands: ['node'],
    environment: process.env,
    network: { allowLoopback: true, allowPrivate: false },
  });
  const closeFleet = cleanUpLater(() => fleet.close());
  const message = { message: 'hello' };
  const definitions = [0, 10].flatMap((ms) => [
    chain(`safe-${ms}`, 'local', 'slow_echo', { ms, value: 'x' }, true),
    chain(`unsafe-${ms}`, 'local', 'slow_echo', { ms, value: 'x' }, false),
  ]);
  const engine = createEngineUnderTest({
    databaseUrl,
    relay: true,
    fleet,
    organizationId: ORGANIZATION,
    definitions: [NOOP, ...definitions, chain('remote-0', 'remote', 'echo', message, true)],
  });
  await engine.open();

  const local = new Client({ name: 'bare', version: '1' });
  await local.connect(
    new StdioClientTransport({ command: process.execPath, args: [ECHO_SERVER], stderr: 'ignore' }),
  );
  const session = new Client({ name: 'bare', version: '1' });
  await session.connect(new StreamableHTTPClientTransport(new URL(url)));
  return {
    engine,
    run: (workflow, ms) => engine.run(`${workflow}-${ms}`),
    async bare(over, ms) {
      const result =
        over === 'stdio'
          ? await local.callTool({ name: 'slow_echo', arguments: { ms, value: 'x' } })
          : await session.callTool({ name: 'echo', arguments: message });
      if (result.isError === true) throw new Error('A bare call failed.');
    },
    async close() {
      await engine.close();
      await closeFleet();
      await local.close();
      await session.close();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const reached = await fetch(url).then(
      () => true,
      () => false,
    );
    if (reached) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Nothing answers at ${url}.`);
}
