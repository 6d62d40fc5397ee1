import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type BenchUser, type Population, seedIdentity } from '@/bench/identity-seed';
import { connectAll } from '@/bench/identity-sockets';
import { cleanUpLater, withCleanUp } from '@/bench/support/cleanup';
import { closedLoop } from '@/bench/support/closed-loop';
import { startBenchCluster } from '@/bench/support/cluster';
import { machineFacts } from '@/bench/support/machine';
import { atLeast, below, tellMissed, type Verdict } from '@/bench/support/scenario';
import { startServer } from '@/bench/support/server-process';
import { round } from '@/bench/support/stats';

const USAGE = `npm run bench -- identity [--json] [--quick] [--strict]

  10,000 users in 1,000 organisations, with sessions, API keys and 60 runs an organisation, and the server as npm start runs it:
  everybody lists the runs of their own organisation (8 callers, random users), and 2,000 of them connect a live socket at once.

  --json     nothing but lines of JSON
  --quick    a tenth of everything: shows that it works, the figures are rough
  --strict   exit code 1 when a budget is missed
  --profile <folder>   writes a CPU profile of the server there
`;

const SECRET = 'the secret key of a bench, which nobody else has';
const FULL: Population = { organizations: 1_000, usersPerOrganization: 10, runsPerOrganization: 60 };
const WORKFLOW = { schemaVersion: 1, name: 'bench', nodes: [{ id: 'a', kind: 'transform', output: '1' }] };

/** The bench of identity: `args` is what follows `identity` on the command line. */
export async function benchIdentity(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { quick } = values;
  const population = quick ? { ...FULL, organizations: 100 } : FULL;
  const missed: Verdict[] = [];
  await withCleanUp(async () => {
    const cluster = await startBenchCluster();
    const dataDir = await mkdtemp(join(tmpdir(), 'oc-bench-identity-'));
    cleanUpLater(() => rm(dataDir, { recursive: true, force: true }));
    const print = (line: object) =>
      process.stdout.write(`${JSON.stringify(line, null, values.json ? undefined : 2)}\n`);
    const report = (scenario: string, facts: object, verdicts: Verdict[]) => {
      print({ scenario, ...facts, verdicts });
      missed.push(...verdicts.filter((verdict) => !verdict.ok));
    };
    print({
      bench: 'identity',
      quick,
      population,
      machine: machineFacts(cluster.directory),
      postgres: cluster.facts,
    });
    const databaseUrl = await cluster.ourDatabase('identity');
    const users = await seedIdentity(databaseUrl, SECRET, population);
    await cluster.settle();
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
      values.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', resolve(values.profile)],
    );

    const plan = { concurrency: 8, seconds: quick ? 3 : 15 };
    const agent = new Agent({ keepAlive: true, maxSockets: plan.concurrency });
    const anyone = () => users[Math.floor(Math.random() * users.length)] as BenchUser;
    const ways: [string, (user: BenchUser) => Record<string, string>][] = [
      ['sessions', ({ cookie }) => ({ cookie })],
      ['API keys', ({ key }) => ({ authorization: `Bearer ${key}` })],
    ];
    for (const [name, headersOf] of ways) {
      const list = () => ask(`${server.url}/api/v1/runs`, agent, headersOf(anyone()));
      await closedLoop({ ...plan, seconds: quick ? 1 : 3 }, list);
      const [serverBefore, postgresBefore] = [server.cpuSeconds(), cluster.cpuSeconds()];
      const {
        stepsPerSecond: _none,
        cpuMsPerRun: _load,
        runs: requests,
        runsPerSecond: requestsPerSecond,
        ...figures
      } = await closedLoop(plan, list);
      const milliseconds = (seconds: number) => round((seconds * 1000) / Math.max(1, requests));
      const cpu = {
        serverCpuMs: milliseconds(server.cpuSeconds() - serverBefore),
        postgresCpuMs: milliseconds(cluster.cpuSeconds() - postgresBefore),
      };
      report(`list own runs, by ${name}`, { ...plan, requests, requestsPerSecond, ...figures, ...cpu }, [
        below(`ms at p95, list own runs by ${name}`, figures.p95, 20),
      ]);
    }
    agent.destroy();

    const wanted = quick ? 200 : 2_000;
    const happen = async (user: BenchUser): Promise<string> => {
      const owner = users.find(({ organization }) => organization === user.organization) as BenchUser;
      const send = async (path: string, body: object) => {
        const response = await fetch(server.url + path, {
          method: 'POST',
          headers: { authorization: `Bearer ${owner.key}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        if (response.status >= 300) throw new Error(`${path}: ${response.status} ${await response.text()}`);
        return (await response.json()) as { runId: string };
      };
      await send('/api/v1/workflows', WORKFLOW);
      return (await send('/api/v1/runs', { workflow: 'bench' })).runId;
    };
    const figures = await connectAll(server.url, users.slice(0, wanted), server.residentBytes, happen);
    report(`${wanted} live sockets at once, each somebody else`, figures, [
      atLeast('sockets authorised at once', figures.authorised, wanted),
      atLeast('sockets of the organisation that heard of its run', figures.heard, figures.concerned),
      below('sockets of other organisations that heard of it', figures.strangers, 1),
    ]);
    await server.stop();
    print({ end: true, loadAfter: round(loadavg()[0] ?? 0), missed });
  });
  tellMissed(missed, values.strict);
}

/** Asks and reads the whole answer. @throws Error when it is not 200 with runs in it */
function ask(url: string, agent: Agent, headers: Record<string, string>): Promise<void> {
  return new Promise((done, fail) => {
    get(url, { agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if (response.statusCode === 200 && text.includes('"runId"')) done();
        else fail(new Error(`${response.statusCode}: ${text.slice(0, 300)}`));
      });
    }).on('error', fail);
  });
}
