import { type FaultOptions, runFaults } from '@/tests/faults/harness';
import { runOutage } from '@/tests/faults/outage';
import { printReport } from '@/tests/faults/report';

/**
 * npm run faults -- --programs N [--seed S] [--minutes M] [--only fault,fault] [--engines N] [--json]
 * npm run faults -- --scenario postgres-outage [--outage-seconds 30] [--json]
 * Exits with 1 when a law was broken.
 */
function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

const json = process.argv.includes('--json');
const say = (line: string) => process.stderr.write(`${line}\n`);

if (option('scenario') === 'postgres-outage') {
  const result = await runOutage({
    outageMs: Number(option('outage-seconds') ?? 30) * 1000,
    engines: Number(option('engines') ?? 2),
    say,
  });
  console.log(json ? JSON.stringify(result) : result.text);
  process.exitCode = result.violations.length === 0 ? 0 : 1;
} else {
  const options: FaultOptions = {
    programs: Number(option('programs') ?? 500),
    seed: Number(option('seed') ?? 1),
    minutes: Number(option('minutes') ?? 600),
    only: option('only')?.split(',') ?? null,
    engines: Number(option('engines') ?? 2),
    keep: process.argv.includes('--keep'),
    say,
  };
  const result = await runFaults(options);
  console.log(json ? JSON.stringify(result) : printReport(result));
  process.exitCode = result.violations.length === 0 ? 0 : 1;
}
process.exit();
