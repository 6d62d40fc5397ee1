import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { SCENARIOS } from '@/bench/engine-scenarios';
import { withCleanUp } from '@/bench/support/cleanup';
import { startBenchCluster } from '@/bench/support/cluster';
import { machineFacts } from '@/bench/support/machine';
import { tellMissed, type Verdict } from '@/bench/support/scenario';
import { round } from '@/bench/support/stats';

const USAGE = `npm run bench -- engine [--json] [--quick] [--peers] [--only a,b] [--profile DIR] [--strict]

  --json     nothing but one line of JSON for the machine and one for each scenario
  --quick    shorter and smaller: shows that it works, the figures are rough
  --peers    also DBOS and Restate, installed into bench/.peers
  --only     some of: ${Object.keys(SCENARIOS).join(', ')}
  --profile  folder for CPU profiles of our engine's processes
  --strict   exit code 1 when a budget is missed
`;

/** The engine bench: `args` is what follows `engine` on the command line. */
export async function benchEngine(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      only: { type: 'string' },
      profile: { type: 'string' },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const names = chosen(values.only, values.peers);
  const missed: Verdict[] = [];
  await withCleanUp(async () => {
    const cluster = await startBenchCluster();
    const print = (line: object) =>
      process.stdout.write(`${JSON.stringify(line, null, values.json ? undefined : 2)}\n`);
    print({
      bench: 'engine',
      quick: values.quick,
      machine: machineFacts(cluster.directory),
      postgres: cluster.facts,
    });
    for (const name of names) {
      await cluster.settle();
      const begun = performance.now();
      const result = await (SCENARIOS[name] as (typeof SCENARIOS)[string])({
        cluster,
        quick: values.quick,
        profile: values.profile,
      });
      const tookSeconds = round((performance.now() - begun) / 1000, 1);
      print({ scenario: name, tookSeconds, ...result });
      missed.push(...result.verdicts.filter((verdict) => !verdict.ok));
    }
    print({ end: true, loadAfter: round(loadavg()[0] ?? 0), missed });
  });
  tellMissed(missed, values.strict);
}

function chosen(only: string | undefined, peers: boolean): string[] {
  if (!only) return Object.keys(SCENARIOS).filter((name) => peers || name !== 'peers');
  const names = only.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !SCENARIOS[name]);
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}.\n${USAGE}`);
  return names;
}
