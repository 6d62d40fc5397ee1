import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { concurrentCalls, serialCalls } from '@/bench/mcp-scenarios';
import { openMcpBench } from '@/bench/mcp-setup';
import { withCleanUp } from '@/bench/support/cleanup';
import { startBenchCluster } from '@/bench/support/cluster';
import { machineFacts } from '@/bench/support/machine';
import { below, tellMissed, type Verdict } from '@/bench/support/scenario';
import { round } from '@/bench/support/stats';

const USAGE = `npm run bench -- mcp [--json] [--quick] [--strict]

  Real MCP calls as durable steps (committed before and after, fsync on), against the same calls made by the bare SDK client.
  Both kinds are measured in turns, so that what else the machine does meets both.

  --json     nothing but lines of JSON
  --quick    shorter: shows that it works, the figures are rough
  --strict   exit code 1 when a budget is missed
`;

/** The bench of durable MCP calls: `args` is what follows `mcp` on the command line. */
export async function benchMcp(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { quick } = values;
  const missed: Verdict[] = [];
  await withCleanUp(async () => {
    const cluster = await startBenchCluster();
    const print = (line: object) =>
      process.stdout.write(`${JSON.stringify(line, null, values.json ? undefined : 2)}\n`);
    const report = (scenario: string, facts: object, verdicts: Verdict[]) => {
      print({ scenario, ...facts, verdicts });
      missed.push(...verdicts.filter((verdict) => !verdict.ok));
    };
    print({ bench: 'mcp', quick, machine: machineFacts(cluster.directory), postgres: cluster.facts });
    const bench = await openMcpBench(await cluster.ourDatabase('mcp'));
    const serialPlan = { rounds: quick ? 20 : 150 };
    await serialCalls(bench, { ...serialPlan, rounds: 20, workflow: 'safe', ms: 0 });

    const safe = await serialCalls(bench, { ...serialPlan, workflow: 'safe', ms: 0 });
    report('serial, stdio, a tool that may be repeated', safe, [
      below('ms added at p50, serial, repeatable tool', safe.addedP50, 1.5),
    ]);
    const unsafe = await serialCalls(bench, { ...serialPlan, workflow: 'unsafe', ms: 0 });
    report('serial, stdio, a tool that must not be repeated (STARTED is committed first)', unsafe, [
      below('ms added at p50, serial, unrepeatable tool', unsafe.addedP50, 1.5),
    ]);
    const slow = await serialCalls(bench, { rounds: quick ? 5 : 30, workflow: 'safe', ms: 10 });
    const ratio = round(slow.durable.p50 / slow.bare.p50, 3);
    report('serial, stdio, a tool that takes 10 ms', { ...slow, ratio }, [
      below('times as long as bare, for a tool of 10 ms', ratio, 1.2),
    ]);

    const plan = { concurrency: 64, rounds: quick ? 1 : 4, seconds: quick ? 1.5 : 4 };
    await concurrentCalls(bench, { ...plan, rounds: 1, seconds: 1, over: 'stdio' });
    const stdio = await concurrentCalls(bench, { ...plan, over: 'stdio' });
    report('64 at once, stdio', stdio, [
      below('ms of engine CPU a call at 64 at once, stdio', stdio.addedCpuMs, 0.3),
    ]);
    const http = await concurrentCalls(bench, { ...plan, over: 'http' });
    report('64 at once, Streamable HTTP', http, [
      below('ms of engine CPU a call at 64 at once, HTTP', http.addedCpuMs, 0.3),
    ]);
    await bench.close();
    print({ end: true, loadAfter: round(loadavg()[0] ?? 0), missed });
  });
  tellMissed(missed, values.strict);
}
