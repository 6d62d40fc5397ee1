import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { seedIdentity } from '@/bench/identity-seed';
import { cleanUpLater } from '@/bench/support/cleanup';
import { closedLoop, type LoadPlan } from '@/bench/support/closed-loop';
import { ECHO_SERVER } from '@/bench/support/root';
import type { Scenario, ScenarioContext } from '@/bench/support/scenario';
import { type ServerProcess, startServer } from '@/bench/support/server-process';
import { round, spread } from '@/bench/support/stats';
import type { WorkflowDefinition } from '@/lib/protocol/definition';

const SECRET = 'the secret key of a bench, which nobody else has';
const LEVELS = [1, 64];
const EDGES = [
  { from: 'step1', to: 'step2' },
  { from: 'step2', to: 'step3' },
];

/** Three durable steps: the product has no step that does nothing, so each is a call of a tool that gives back what it gets. */
const CALLS: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'three-calls',
  nodes: ['step1', 'step2', 'step3'].map((id) => ({
    id,
    kind: 'mcp-server' as const,
    server: 'echo',
    tool: 'slow_echo',
    arguments: { ms: 0, value: 'x' },
    idempotent: true,
  })),
  edges: EDGES,
};

/** Three steps that the engine decides on the way, without a commit between them: what is left is the way in and out. */
const TRANSFORMS: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'three-transforms',
  nodes: ['step1', 'step2', 'step3'].map((id) => ({ id, kind: 'transform' as const, output: 'x' })),
  edges: EDGES,
};

/** The line of the stream that tells of the first call, all of it. */
const FIRST_CALL = /^data: .*"type":"ACTIVITY_TASK_SCHEDULED".*$/m;

/** What a caller saw of one run, in milliseconds from its request. */
interface Seen {
  /** The start was answered with 201: it is durable. */
  accepted: number;
  /** When the engine scheduled the first call, by the time in its event; NaN in a run without calls. */
  scheduled: number;
  /** When the caller was told so, over the stream. */
  told: number;
}

/**
 * The product as an API client meets it: the built server process with sign-in required; a run is `POST /api/v1/runs` with an
 * API key and then its stream of events, read until it says how the run has ended.
 */
export const frontDoor: Scenario = async (context) => {
  const { cluster, quick, profile } = context;
  const databaseUrl = await cluster.ourDatabase('front_door');
  const population = { organizations: 1, usersPerOrganization: 1, runsPerOrganization: 0 };
  const [owner] = await seedIdentity(databaseUrl, SECRET, population);
  const dataDir = await mkdtemp(join(tmpdir(), 'oc-bench-front-door-'));
  cleanUpLater(() => rm(dataDir, { recursive: true, force: true }));
  const server = await startServer(
    {
      DATABASE_URL: databaseUrl,
      OPENCONDUCTOR_AUTH: 'required',
      OPENCONDUCTOR_RATE_LIMIT: '0',
      OPENCONDUCTOR_SECRET_KEY: SECRET,
      OPENCONDUCTOR_DATA_DIR: dataDir,
      OPENCONDUCTOR_CONFIG: join(dataDir, 'none.json'),
      OPENCONDUCTOR_ROLES: 'web,engine',
    },
    profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', resolve(profile)],
  );
  const client = new ApiCaller(server.url, `Bearer ${owner?.key}`, Math.max(...LEVELS));
  const config = { type: 'stdio', command: 'node', args: [ECHO_SERVER], concurrency: Math.max(...LEVELS) };
  await client.post('/api/v1/servers', { name: 'echo', config });
  const workflows: Record<string, Record<string, unknown>> = {};
  for (const definition of [CALLS, TRANSFORMS]) {
    await client.post('/api/v1/workflows', definition);
    const one = () => client.run(definition.name);
    await closedLoop({ concurrency: 16, seconds: quick ? 1 : 5 }, one);
    const levels: Record<string, unknown> = {};
    for (const concurrency of LEVELS) {
      levels[concurrency] = await load({ concurrency, seconds: quick ? 2 : 10 }, one, context, server);
    }
    workflows[definition.name] = levels;
  }
  const { requests, connections } = client;
  client.close();
  await server.stop();
  return { workflows, requests, connections, verdicts: [] };
};

async function load(
  plan: LoadPlan,
  one: () => Promise<Seen>,
  { cluster }: ScenarioContext,
  server: ServerProcess,
) {
  const seen: Seen[] = [];
  await cluster.settle();
  const [serverBefore, postgresBefore] = [server.cpuSeconds(), cluster.cpuSeconds()];
  const result = await closedLoop(plan, async () => seen.push(await one()));
  const milliseconds = (seconds: number) => round((seconds * 1000) / Math.max(1, result.runs), 3);
  const { cpuMsPerRun: callersCpuMsPerRun, stepsPerSecond, ...figures } = result;
  const calling = seen.filter(({ scheduled }) => !Number.isNaN(scheduled));
  return {
    ...figures,
    toAccepted: spread(seen.map(({ accepted }) => accepted)),
    // Only calls are steps of their own.
    ...(calling.length > 0
      ? {
          stepsPerSecond,
          toFirstCallScheduled: spread(calling.map(({ scheduled }) => scheduled)),
          toFirstCallTold: spread(calling.map(({ told }) => told)),
        }
      : {}),
    serverCpuMsPerRun: milliseconds(server.cpuSeconds() - serverBefore),
    postgresCpuMsPerRun: milliseconds(cluster.cpuSeconds() - postgresBefore),
    callersCpuMsPerRun,
  };
}

/** Requests of one API key over connections that stay open. */
class ApiCaller {
  requests = 0;
  connections = 0;
  private readonly agent: Agent;

  constructor(
    private readonly url: string,
    private readonly authorization: string,
    maxSockets: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets });
  }

  post(path: string, body: object): Promise<string> {
    return this.ask('POST', path, JSON.stringify(body));
  }

  /** Starts a run and follows it to its end. @throws Error when it did not complete */
  async run(workflow: string): Promise<Seen> {
    const asked = performance.now();
    const askedAt = Date.now();
    const { runId } = JSON.parse(await this.post('/api/v1/runs', { workflow })) as { runId: string };
    const accepted = performance.now() - asked;
    let told = Number.NaN;
    const events = await this.ask('GET', `/api/v1/runs/${runId}/events?follow`, undefined, (text) => {
      if (Number.isNaN(told) && FIRST_CALL.test(text)) told = performance.now() - asked;
    });
    const end = events.slice(events.lastIndexOf('event: '));
    if (!/^event: end\n.*"status":"completed"/.test(end))
      throw new Error(`A run did not complete: ${end.slice(0, 500)}`);
    const scheduledAt = FIRST_CALL.exec(events)?.[0].slice('data: '.length);
    const scheduled =
      scheduledAt === undefined
        ? Number.NaN
        : Date.parse((JSON.parse(scheduledAt) as { at: string }).at) - askedAt;
    return { accepted, scheduled, told };
  }

  close(): void {
    this.agent.destroy();
  }

  /** Resolves with the body when all of it was read; `onText` is told what has come so far. @throws Error unless it is 2xx */
  private ask(
    method: string,
    path: string,
    body?: string,
    onText: (soFar: string) => void = () => {},
  ): Promise<string> {
    return new Promise((done, fail) => {
      const headers = {
        authorization: this.authorization,
        ...(body === undefined ? { accept: 'text/event-stream' } : { 'content-type': 'application/json' }),
      };
      const asked = request(this.url + path, { method, agent: this.agent, headers });
      asked.on('error', fail);
      asked.on('response', (response: IncomingMessage) => {
        this.requests++;
        if (!asked.reusedSocket) this.connections++;
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          onText(text);
        });
        response.on('error', fail);
        response.on('end', () => {
          if ((response.statusCode ?? 500) < 300) done(text);
          else fail(new Error(`${method} ${path}: ${response.statusCode}: ${text.slice(0, 500)}`));
        });
      });
      asked.end(body);
    });
  }
}
