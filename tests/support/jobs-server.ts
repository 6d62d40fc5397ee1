import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { uuidv7 } from '@/lib/shared/ids';
import { toRequest, writeResponse } from '@/server/adapters/http/node-http';
import { createRouter } from '@/server/adapters/http/router';
import { createLog } from '@/server/adapters/observability/pino-log';
import { createPool } from '@/server/adapters/postgres/pool';
import { createPrisma } from '@/server/adapters/postgres/prisma';
import { roleUrl } from '@/server/adapters/postgres/roles';
import { loadConfig } from '@/server/config/config';
import { readTestHooks } from '@/server/config/test-hooks';
import { createJobs } from '@/server/jobs';
import type { InboxRow } from '@/server/ports/execution-store';
import { createRuntime } from '@/server/runtime';
import { type CrashPoint, crashPoint, dieAt } from '@/server/workers/engine/crash-points';
import { INBOX_CHANNEL } from '@/server/workers/engine/host-deps';

/**
 * The real runtime with schedules and bulk operations, behind one HTTP server: what `EngineProcess` starts for their
 * tests. Says that it is ready as server/index.ts does.
 */
async function main(): Promise<void> {
  const config = loadConfig();
  const { databaseUrl } = config;
  if (!databaseUrl) throw new Error('DATABASE_URL is not set.');
  const hooks = readTestHooks();
  if (hooks.crash) dieAt(hooks.crash.place as CrashPoint, hooks.crash.nth);
  const log = createLog(config.logLevel);
  const runtime = await createRuntime({
    config: { ...config, databaseUrl },
    log,
    version: 'test',
    buildId: 'test',
    root: process.cwd(),
    environment: process.env,
    ...(hooks.clockOffsetMs === undefined ? {} : { clockOffsetMs: hooks.clockOffsetMs }),
  });
  const { workflows, runs, bus, clock, store } = runtime;
  const jobs = createJobs({
    pool: createPool(roleUrl(databaseUrl, 'oc_engine'), 5, 'test-engine'),
    prisma: createPrisma(createPool(roleUrl(databaseUrl, 'oc_app'), 5, 'test-app')),
    store,
    workflows,
    runs,
    bus,
    clock,
    log,
    newRunId: () => uuidv7(clock.now(), randomBytes(10)),
    announce: (row: InboxRow) => {
      crashPoint('after-append-before-ack');
      bus.publish(INBOX_CHANNEL, row);
    },
    maxPayloadBytes: config.maxPayloadBytes,
  });
  const handleJobs = createRouter({
    operations: jobs.operations,
    authenticate: runtime.authenticate,
    allowedHosts: [],
    maxBodyBytes: config.maxBodyBytes,
    log,
    newRequestId: randomUUID,
  });
  const server = createServer((incoming, outgoing) => {
    const request = toRequest(incoming, outgoing);
    const ours = /^\/api\/v1\/(schedules|bulk-operations)\b/.test(new URL(request.url).pathname);
    void (ours ? handleJobs(request) : runtime.handle(request)).then((response) =>
      writeResponse(outgoing, response),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  await runtime.start();
  if (config.roles.includes('engine')) jobs.start();
  process.on('SIGTERM', () => {
    void (async () => {
      server.close();
      await jobs.stop();
      await runtime.stop();
      process.exit(0);
    })();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${port}` })}\n`);
}

await main();
