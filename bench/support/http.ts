import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closedLoop, type LoadPlan, type LoadResult } from '@/bench/support/closed-loop';

/** A POST of a small JSON body; resolves when the answer was read. @throws Error when the status is not 2xx */
export function post(url: string, agent: Agent, body = '{}'): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asked = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 300) resolve(text);
        else reject(new Error(`${response.statusCode}: ${text.slice(0, 500)}`));
      });
    });
    asked.on('error', reject).end(body);
  });
}

/** Connections that stay open, one for each caller of the plan. */
export function agentFor({ concurrency }: LoadPlan): Agent {
  return new Agent({ keepAlive: true, maxSockets: concurrency });
}

/** A closed loop of requests to a server in this process that answers each when `run` has. */
export async function loadOverHttp(plan: LoadPlan, run: () => Promise<void>): Promise<LoadResult> {
  const server = createServer((asked, response) => {
    asked.resume().on('end', () => {
      run().then(
        () => response.end('{"ok":true}'),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const agent = agentFor(plan);
  try {
    return await closedLoop(plan, () => post(`http://127.0.0.1:${port}/`, agent));
  } finally {
    agent.destroy();
    server.close();
    server.closeAllConnections();
  }
}
