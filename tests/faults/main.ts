import { parseArgs } from 'node:util';
import { ALL_FAULTS, type FaultOptions, runFaults } from '@/tests/faults/harness';
import { runOutage } from '@/tests/faults/outage';
import { printReport } from '@/tests/faults/report';

const HELP = `npm run faults -- [options]
  Random programs on real processes, a real Postgres and a real tool server, while faults strike; then every law is checked.
  --programs N          how many programs (500)
  --seed S              repeats the programs and the kinds of faults, not their moments (1)
  --engines N           engine processes (2)
  --minutes M           begin no new round after this time (600)
  --only FAULT,…        only these faults; crash stands for every crash point
  --keep                keep logs and database files
npm run faults -- --scenario postgres-outage [options]
  Postgres is stopped under load and started again.
  --outage-seconds N    for how long (30)
  --engines N           engine processes (2)
Both: --json, --help. Exit code 1 when a law was broken, nothing struck, or not every program was run.

Faults: ${ALL_FAULTS.join(', ')}`;

const say = (line: string) => process.stderr.write(`${line}\n`);

function refuse(text: string): never {
  say(`${text}\n\n${HELP}`);
  process.exit(2);
}

function read() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      options: {
        programs: text,
        seed: text,
        engines: text,
        minutes: text,
        only: text,
        keep: flag,
        scenario: text,
        'outage-seconds': text,
        json: flag,
        help: flag,
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

const given = read();

function number(name: 'programs' | 'seed' | 'engines' | 'minutes' | 'outage-seconds', usual: number): number {
  const value = Number(given[name] ?? usual);
  if (!Number.isFinite(value) || value <= 0) refuse(`--${name} takes a number above 0, not ${given[name]}.`);
  return value;
}

function only(): string[] | null {
  if (given.only === undefined) return null;
  const names = given.only.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!ALL_FAULTS.some((fault) => fault === name || fault.startsWith(`${name}:`)))
      refuse(`There is no fault "${name}".`);
  }
  return names;
}

if (given.help) {
  console.log(HELP);
} else if (given.scenario === 'postgres-outage') {
  const result = await runOutage({
    outageMs: number('outage-seconds', 30) * 1000,
    engines: number('engines', 2),
    say,
  });
  console.log(given.json ? JSON.stringify(result) : result.text);
  process.exitCode = result.violations.length === 0 ? 0 : 1;
} else if (given.scenario !== undefined) {
  refuse(`There is no scenario "${given.scenario}".`);
} else {
  const options: FaultOptions = {
    programs: number('programs', 500),
    seed: number('seed', 1),
    minutes: number('minutes', 600),
    only: only(),
    engines: number('engines', 2),
    keep: given.keep ?? false,
    say,
  };
  const result = await runFaults(options);
  console.log(given.json ? JSON.stringify(result) : printReport(result));
  const struck = result.struck.some((entry) => entry.struck);
  process.exitCode = result.violations.length === 0 && result.complete && struck ? 0 : 1;
}
process.exit();
