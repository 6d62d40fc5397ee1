import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventsMessage, ProgressMessage } from '@/lib/protocol/api';
import type { StreamEvent } from '@/lib/protocol/event';
import { createTestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { describeWithRedis, startPrivateRedis } from '../support/redis';
import { startWebHere, type WebHere } from '../support/web-here';
import { plainWorkflow } from './rest-cases/definitions';

const everything = resolve(
  import.meta.dirname,
  '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js',
);
const LONG = {
  schemaVersion: 1,
  name: 'long',
  nodes: [
    {
      id: 'work',
      kind: 'mcp-server',
      server: 'everything',
      tool: 'trigger-long-running-operation',
      arguments: { duration: 1, steps: 4 },
    },
  ],
};

const SERVERS = { everything: { command: 'node', args: [everything, 'stdio'] } };

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** One process serves browsers and runs nothing, another runs everything and serves no browser; they share the database. */
async function twoProcesses(redisUrl?: string) {
  const database = await createTestDatabase();
  cleanUps.push(() => database.drop());
  const web = await startWebHere({ databaseUrl: database.adminUrl, servers: SERVERS, redisUrl });
  cleanUps.push(() => web.close());
  const engine = await EngineProcess.start({
    databaseUrl: database.adminUrl,
    servers: SERVERS,
    env: { OPENCONDUCTOR_ROLES: 'engine,sync', ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }) },
  });
  cleanUps.push(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
  });
  return { web, engine };
}

async function publish(web: WebHere, definition: object): Promise<void> {
  expect(await web.ask('POST', '/api/v1/workflows', definition)).toMatchObject({ status: 201 });
}

/** Starts a run on the web process and gives what its socket shows of it, up to its end. */
async function seen(web: WebHere, workflow: string): Promise<string[]> {
  const socket = await web.watch('runs');
  const told: StreamEvent[] = [];
  socket.on('events', ({ items }: EventsMessage) => told.push(...items));
  const started = await web.ask('POST', '/api/v1/runs', { workflow });
  expect(started.status).toBe(201);
  const { runId } = started.body as { runId: string };
  const ofRun = () => told.filter(({ event }) => event.runId === runId).map(({ event }) => event);
  await eventually('the end of the run', () =>
    ofRun().some(({ type }) => /^WORKFLOW_EXECUTION_(COMPLETED|FAILED)$/.test(type)),
  );
  expect(ofRun().map(({ seq }) => seq)).toEqual(ofRun().map((_event, i) => i + 1));
  expect(ofRun().at(-1), JSON.stringify(ofRun().at(-1))).toMatchObject({
    type: 'WORKFLOW_EXECUTION_COMPLETED',
  });
  return ofRun().map(({ type }) => type);
}

/** How many messages of the bus a process has counted, by what became of them. */
function counted(metrics: unknown, outcome: string): number {
  const line = new RegExp(`^conductor_bus_messages_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm');
  return Number(line.exec(String(metrics))?.[1] ?? 0);
}

describe('a browser on one process, the run on another', () => {
  it('without Redis: everything is seen, in order, once', async () => {
    const { web } = await twoProcesses();
    await publish(web, plainWorkflow('plain'));
    const types = await seen(web, 'plain');
    expect(types[0]).toBe('WORKFLOW_EXECUTION_STARTED');
    expect((await web.ask('GET', '/health/deep')).body).not.toHaveProperty('checks.redis');
    expect((await web.ask('GET', '/metrics')).body).not.toMatch(/^conductor_redis_up /m);
  });
});

describeWithRedis('a browser on one process, the run on another, with Redis', () => {
  it('everything is seen once, by hints both ways; progress of calls too; and it goes on when Redis dies', async () => {
    const redis = await startPrivateRedis();
    cleanUps.push(() => redis.remove());
    const { web, engine } = await twoProcesses(redis.url);
    await publish(web, plainWorkflow('plain'));
    await publish(web, LONG);
    const types = await seen(web, 'plain');
    expect(types[0]).toBe('WORKFLOW_EXECUTION_STARTED');

    const socket = await web.watch('runs');
    const progress: ProgressMessage[] = [];
    socket.on('progress', (message: ProgressMessage) => progress.push(message));
    await seen(web, 'long');
    await eventually('progress of a call that the other process makes', () => progress.length > 0);
    expect(progress[0]).toMatchObject({ nodePath: 'work' });

    const { body: here } = await web.ask('GET', '/metrics');
    const there = await (await fetch(`${engine.url}/metrics`)).text();
    for (const outcome of ['sent', 'received']) {
      expect(counted(here, outcome), outcome).toBeGreaterThan(0);
      expect(counted(there, outcome), outcome).toBeGreaterThan(0);
    }

    await redis.kill();
    expect(await seen(web, 'plain')).toEqual(types);
    const health = async () => (await web.ask('GET', '/health/deep')).body;
    await eventually('health says so', async () => JSON.stringify(await health()).includes('"degraded"'));
    expect(await health()).toMatchObject({ checks: { redis: { status: 'degraded' } } });
    await redis.start();
    await eventually('health says that it is back', async () =>
      JSON.stringify(await health()).includes('"redis":{"status":"ok"'),
    );
    expect(await seen(web, 'plain')).toEqual(types);
  });
});
