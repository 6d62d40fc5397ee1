import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { SoakReading } from '@/bench/soak-methods';
import { BenchChild } from '@/bench/support/child';
import { withCleanUp } from '@/bench/support/cleanup';
import { startBenchCluster } from '@/bench/support/cluster';
import { machineFacts } from '@/bench/support/machine';
import { plot } from '@/bench/support/plot';
import { below, tellMissed, type Verdict } from '@/bench/support/scenario';
import { median, round } from '@/bench/support/stats';

const USAGE = `npm run bench -- soak [--runs 300000] [--concurrency 32] [--plot FILE.svg] [--json] [--strict]

A day's work in minutes: memory, dead rows of the queues and latency have to stay as they were.

  --plot     draws the readings into a picture
  --json     nothing but one line of JSON
  --strict   exit code 1 when a budget is missed
`;

/** The soak: `args` is what follows `soak` on the command line. */
export async function benchSoak(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      runs: { type: 'string', default: '300000' },
      concurrency: { type: 'string', default: '32' },
      plot: { type: 'string' },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const runs = Number(values.runs);
  const concurrency = Number(values.concurrency);
  if (!Number.isInteger(runs) || runs < 3_000 || !Number.isInteger(concurrency) || concurrency < 1) {
    throw new Error(`--runs is a number from 3000, --concurrency one from 1.\n${USAGE}`);
  }
  let missed: Verdict[] = [];
  await withCleanUp(async () => {
    const cluster = await startBenchCluster();
    const child = new BenchChild('soak');
    await child.call('open', { databaseUrl: await cluster.ourDatabase('soak') });
    const every = Math.floor(runs / 100);
    const readings = await child.call<SoakReading[]>('soak', { runs, concurrency, every });
    await child.end();
    const judged = verdicts(readings);
    missed = judged.filter((verdict) => !verdict.ok);
    const result = {
      bench: 'soak',
      machine: machineFacts(cluster.directory),
      postgres: cluster.facts,
      runs,
      concurrency,
      seconds: readings.at(-1)?.seconds,
      loadAfter: round(loadavg()[0] ?? 0),
      thirds: [0, 1, 2].map((third) => summary(part(readings, third))),
      verdicts: judged,
    };
    process.stdout.write(`${JSON.stringify(result, null, values.json ? undefined : 2)}\n`);
    if (values.plot !== undefined) writeFileSync(values.plot, picture(readings));
  });
  tellMissed(missed, values.strict);
}

function part(readings: readonly SoakReading[], third: number): SoakReading[] {
  const size = Math.floor(readings.length / 3);
  return readings.slice(third * size, (third + 1) * size);
}

const mib = (bytes: number) => round(bytes / 2 ** 20, 1);

function summary(readings: readonly SoakReading[]) {
  const middle = (of: (reading: SoakReading) => number) => median(readings.map(of));
  const most = (of: (reading: SoakReading) => number) => Math.max(...readings.map(of));
  return {
    runsPerSecond: middle((reading) => reading.runsPerSecond),
    p50: middle((reading) => reading.p50),
    p95: middle((reading) => reading.p95),
    heapMiB: mib(middle((reading) => reading.heapBytes)),
    rssMiB: mib(middle((reading) => reading.rssBytes)),
    inboxDeadMost: most((reading) => reading.inboxDead),
    inboxMiBMost: mib(most((reading) => reading.inboxBytes)),
    outboxDeadMost: most((reading) => reading.outboxDead),
    outboxMiBMost: mib(most((reading) => reading.outboxBytes)),
    runDeadMost: most((reading) => reading.runDead),
    runMiBMost: mib(most((reading) => reading.runBytes)),
    shardDeadMost: most((reading) => reading.shardDead),
    shardMiBMost: mib(most((reading) => reading.shardBytes)),
    waiting: middle((reading) => reading.waiting),
  };
}

/** The last third against the second: the first has the warm-up in it. */
function verdicts(readings: readonly SoakReading[]): Verdict[] {
  const [before, after] = [summary(part(readings, 1)), summary(part(readings, 2))];
  const grown = (what: string, of: (facts: typeof before) => number, budget: number) =>
    below(`${what}, last third against the second`, round(of(after) / Math.max(1, of(before))), budget);
  return [
    grown('heap after a collection', (facts) => facts.heapMiB, 1.1),
    grown('resident memory', (facts) => facts.rssMiB, 1.15),
    grown('most dead rows of the ready queue', (facts) => facts.inboxDeadMost, 1.5),
    grown('size of the ready queue', (facts) => facts.inboxMiBMost, 1.5),
    grown('most dead rows of the outbox', (facts) => facts.outboxDeadMost, 1.5),
    grown('p95 of a 3-step run', (facts) => facts.p95, 1.25),
  ];
}

function picture(readings: readonly SoakReading[]): string {
  const x = readings.map((reading) => reading.runs);
  const line = (name: string, of: (reading: SoakReading) => number) => ({ name, y: readings.map(of) });
  return plot('runs', x, [
    {
      title: 'Latency of a 3-step run, ms',
      lines: [line('p50', (reading) => reading.p50), line('p95', (reading) => reading.p95)],
    },
    {
      title: 'Memory, MiB',
      lines: [
        line('resident', (reading) => mib(reading.rssBytes)),
        line('heap after a collection', (reading) => mib(reading.heapBytes)),
      ],
    },
    {
      title: 'Dead rows of the queues',
      lines: [
        line('ready queue', (reading) => reading.inboxDead),
        line('outbox', (reading) => reading.outboxDead),
      ],
    },
    {
      title: 'Dead rows of runs and shards',
      lines: [line('runs', (reading) => reading.runDead), line('shards', (reading) => reading.shardDead)],
    },
    { title: 'Runs a second', lines: [line('runs/s', (reading) => reading.runsPerSecond)] },
  ]);
}
