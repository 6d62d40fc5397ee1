import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Http2Server } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPeer, peerFile } from '@/bench/peers/install';
import type { ChildMethods } from '@/bench/support/child-server';
import { closedLoop, type LoadPlan, type LoadResult } from '@/bench/support/closed-loop';
import { agentFor, post } from '@/bench/support/http';

/** The part of Restate's SDK that is used here. */
interface RestateSdk {
  service(definition: {
    name: string;
    handlers: Record<string, (ctx: Context) => Promise<unknown>>;
  }): unknown;
  createEndpointHandler(options: { services: unknown[] }): Parameters<typeof createServer>[1];
}
interface Context {
  run<T>(name: string, action: () => T | Promise<T>): Promise<T>;
}

const START_TIMEOUT_MS = 60_000;

/**
 * Restate in processes of its own: its server with its own store (fsync on, as shipped), the service over HTTP/2 with
 * streaming both ways (its quickest way), callers over its HTTP ingress on connections that stay open.
 */
export function restateMethods(): ChildMethods {
  let ingress = '';
  let server: ChildProcess | undefined;
  let endpoint: Http2Server | undefined;
  let directory = '';
  let log = '';
  return {
    async open({ partitions }: { partitions?: number }): Promise<void> {
      polyfillWithResolvers();
      directory = await mkdtemp(join(tmpdir(), 'oc-bench-restate-'));
      endpoint = createServer((await serviceHandler()) as never);
      const port = await listen(endpoint);
      const [ingressPort, adminPort, nodePort] = await freePorts(3);
      server = spawn(peerFile(binaryName()), ['--no-logo', '--base-dir', directory], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH,
          DO_NOT_TRACK: '1',
          RESTATE_LISTEN_MODE: 'tcp',
          RESTATE_BIND_ADDRESS: `127.0.0.1:${nodePort}`,
          RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingressPort}`,
          RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${adminPort}`,
          RESTATE_LOG_FILTER: 'warn',
          ...(partitions ? { RESTATE_DEFAULT_NUM_PARTITIONS: String(partitions) } : {}),
        } as unknown as NodeJS.ProcessEnv,
      });
      const keep = (chunk: Buffer) => {
        log = (log + chunk.toString()).slice(-4_000);
      };
      server.stdout?.on('data', keep);
      server.stderr?.on('data', keep);
      ingress = `http://127.0.0.1:${ingressPort}/bench/threeSteps`;
      await untilRegistered(`http://127.0.0.1:${adminPort}`, `http://127.0.0.1:${port}`, () => log);
    },
    async load(plan: LoadPlan): Promise<LoadResult> {
      const agent = agentFor(plan);
      try {
        return await closedLoop(plan, () => post(ingress, agent));
      } finally {
        agent.destroy();
      }
    },
    async close(): Promise<void> {
      const ended = server && new Promise((resolve) => server?.once('exit', resolve));
      server?.kill('SIGKILL');
      await ended;
      endpoint?.close();
      if (directory) await rm(directory, { recursive: true, force: true });
    },
  };
}

async function serviceHandler() {
  const { service, createEndpointHandler } = await loadPeer<RestateSdk>('@restatedev/restate-sdk');
  const noop = () => ({ ok: true });
  const bench = service({
    name: 'bench',
    handlers: {
      async threeSteps(ctx) {
        await ctx.run('step1', noop);
        await ctx.run('step2', noop);
        return ctx.run('step3', noop);
      },
    },
  });
  return createEndpointHandler({ services: [bench] });
}

/** Its SDK asks for Node 22 because of this one function. */
function polyfillWithResolvers(): void {
  const target = Promise as unknown as { withResolvers?: () => unknown };
  target.withResolvers ??= () => {
    let resolve: unknown;
    let reject: unknown;
    const promise = new Promise((yes, no) => {
      resolve = yes;
      reject = no;
    });
    return { promise, resolve, reject };
  };
}

function binaryName(): string {
  return `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`;
}

async function listen(server: Http2Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createTcpServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) =>
          server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
        ),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Its server answers some seconds after its start; then it is told where the service is. */
async function untilRegistered(admin: string, uri: string, log: () => string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      const answer = await fetch(`${admin}/deployments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ uri }),
      });
      if (answer.ok) return;
      throw new Error(`${answer.status}: ${await answer.text()}`);
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`Restate does not start: ${error}\n${log()}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
