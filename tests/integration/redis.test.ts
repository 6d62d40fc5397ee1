import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { apiKey, firstOwner, member, Visitor } from '../support/people';
import { describeWithRedis, type PrivateRedis, startPrivateRedis } from '../support/redis';

const LIMIT = 40;
const TRIES = 5;
/** A key’s own making is counted for its owner, in the process that made it. */
const MADE = 1;

/** Two real processes on one database and one Redis, which goes and comes back. */
describeWithRedis('limits that several processes share', () => {
  let database: TestDatabase;
  let redis: PrivateRedis;
  let processes: EngineProcess[];
  let olga: Visitor;
  const [one, two] = [() => processes[0] as EngineProcess, () => processes[1] as EngineProcess];

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await startPrivateRedis();
    const start = () =>
      EngineProcess.start({
        databaseUrl: database.adminUrl,
        servers: {},
        env: {
          OPENCONDUCTOR_AUTH: 'required',
          OPENCONDUCTOR_RATE_LIMIT: String(LIMIT),
          OPENCONDUCTOR_SECRET_KEY: 'one and the same for both of these processes',
          REDIS_URL: redis.url,
        },
      });
    const first = await start();
    olga = await firstOwner(first);
    processes = [first, await start()];
    for (const { url } of processes) await connected(url, 'ok');
  });
  afterAll(async () => {
    for (const process of processes) {
      await process.end('SIGTERM');
      await process.removeData();
    }
    await redis.remove();
    await database.drop();
  });

  /** Waits until a process says so of Redis; asks as the owner's key would, without being counted. */
  async function connected(url: string, status: string) {
    await eventually(`redis ${status} at ${url}`, async () => {
      const visitor = new Visitor(url);
      visitor.cookies = olga.cookies;
      const { body } = await visitor.send('GET', '/health/deep');
      return body.checks.redis.status === status ? body : null;
    });
  }

  /** Requests that are let through before one is refused, asked in turns of all these processes. */
  async function allowance(key: string, urls: readonly string[]): Promise<number> {
    for (let asked = 0; ; asked++) {
      const visitor = new Visitor(urls[asked % urls.length] as string);
      const { status } = await visitor.send('GET', '/api/v1/me', undefined, {
        authorization: `Bearer ${key}`,
      });
      if (status === 429) return asked;
      expect(status).toBe(200);
      if (asked > 5 * LIMIT) throw new Error('Nothing is refused.');
    }
  }

  /** Wrong passwords that are looked at before the account is closed, sent in turns of all these processes. */
  async function guesses(email: string, urls: readonly string[]): Promise<number> {
    for (let tried = 0; ; tried++) {
      const visitor = new Visitor(urls[tried % urls.length] as string);
      const { status } = await visitor.signIn(email, 'not the password');
      if (status === 429) return tried;
      expect(status).toBe(401);
      if (tried > 5 * TRIES) throw new Error('The account is never closed.');
    }
  }

  /** Somebody new whose requests nobody has counted but this one. */
  async function somebody(name: string): Promise<string> {
    const visitor = await member(olga, `${name}@example.com`, 'viewer');
    return apiKey(visitor);
  }
  /**
   * Both count one allowance. A process that waits for Redis for over half a second counts by itself meanwhile, so on a busy
   * machine it takes somebody new, whose making is counted for them.
   */
  async function expectShared(key: string, expected: number, urls: readonly string[]) {
    if ((await allowance(key, urls)) === expected) return;
    let more = 0;
    await eventually('one allowance', async () => {
      more += 1;
      return (await allowance(await somebody(`more-${Date.now()}-${more}`), urls)) === LIMIT - MADE;
    });
  }
  const metrics = async (url: string) => {
    const visitor = new Visitor(url);
    visitor.cookies = olga.cookies;
    return String((await visitor.send('GET', '/metrics')).body);
  };

  it('both count one allowance, lock one account, go on by themselves without Redis, and share again with it', async () => {
    const urls = processes.map(({ url }) => url);
    // Everybody is made while nothing is short: making one costs requests and looks from this address.
    const [ben, cid, ann] = [await somebody('ben'), await somebody('cid'), await somebody('ann')];

    await expectShared(ann, LIMIT - MADE, urls);
    expect(await guesses('ann@example.com', urls)).toBe(TRIES);
    expect((await new Visitor(two().url).signIn('ann@example.com')).status).toBe(429);
    expect(await metrics(one().url)).toContain('conductor_redis_up 1');

    await redis.kill();
    for (const url of urls) await connected(url, 'degraded');
    expect(await metrics(one().url)).toContain('conductor_redis_up 0');
    // Each counts for itself now.
    expect(await allowance(ben, [one().url])).toBe(LIMIT);
    expect(await allowance(ben, [two().url])).toBe(LIMIT);
    expect(await guesses('ben@example.com', [one().url])).toBe(TRIES);
    expect(await guesses('ben@example.com', [two().url])).toBe(TRIES);

    await redis.start();
    for (const url of urls) await connected(url, 'ok');
    await expectShared(cid, LIMIT, urls);
    expect(await guesses('cid@example.com', urls)).toBe(TRIES);
    for (const { log } of processes) {
      const said = log.filter((line) => line.includes('"operation":"redis"')).map((line) => JSON.parse(line));
      expect([said[0].status, said.at(-1).status]).toEqual(['connected', 'connected']);
      const away = said.filter(({ status }) => status === 'away');
      expect(away.map(({ error }) => error)).toContain('the connection was lost');
    }
  });
});
