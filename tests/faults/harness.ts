import { mkdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CRASH_POINTS } from '@/server/workers/engine/crash-points';
import { PatientClient } from '@/tests/faults/client';
import { CounterLog } from '@/tests/faults/counter-log';
import { FaultyPostgres } from '@/tests/faults/database';
import { bundleServer } from '@/tests/faults/engine';
import { collect } from '@/tests/faults/evidence';
import { FaultLog, type StruckFault } from '@/tests/faults/fault-log';
import { Fleet } from '@/tests/faults/fleet';
import { checkLaws, type Violation } from '@/tests/faults/laws';
import { Nemesis, NEMESIS_FAULTS } from '@/tests/faults/nemesis';
import { People } from '@/tests/faults/people';
import { fixedDefinitions, poisonProgram, type Program, randomProgram } from '@/tests/faults/programs';
import { watchRecovery } from '@/tests/faults/recovery';
import { ROOT } from '@/tests/faults/root';
import { Round } from '@/tests/faults/round';
import { timeline } from '@/tests/faults/timeline';
import { Random } from '@/tests/simulation/random';

export interface FaultOptions {
  programs: number;
  seed: number;
  /** No new round begins after this time. */
  minutes: number;
  /** Only these faults (names as in the report, or their beginnings); null: all. */
  only: readonly string[] | null;
  engines: number;
  /** Keep logs and database files for a look afterwards. */
  keep?: boolean;
  /** Programs of one round. */
  roundSize?: number;
  say: (line: string) => void;
}

export interface FaultResult {
  seed: number;
  programs: number;
  runs: number;
  calls: number;
  events: number;
  seconds: number;
  repeatedRequests: number;
  resolvedOutcomes: number;
  struck: StruckFault[];
  violations: (Violation & { round: number })[];
  /** Everything about the first broken runs: definition, history, calls, faults. */
  timelines: string[];
}

/** Every fault there is, by the name that the report and `--only` use. */
export const ALL_FAULTS = [...NEMESIS_FAULTS, ...CRASH_POINTS.map((point) => `crash:${point}`), 'clock-skew', 'poison'];

const ROUND = 250;

/** Runs random programs on real processes while faults strike, round by round, and checks every law after each round. */
export async function runFaults(options: FaultOptions): Promise<FaultResult> {
  const { seed, say } = options;
  const began = Date.now();
  const random = new Random(seed);
  const may = (fault: string) => options.only === null || options.only.some((name) => fault === name || fault.startsWith(`${name}:`));
  const folder = await mkdtemp(join(tmpdir(), 'oc-faults-run-'));
  mkdirSync(join(folder, 'state'));
  const counter = new CounterLog(join(folder, 'counter.jsonl'));
  const postgres = await FaultyPostgres.start();
  const bundle = await bundleServer();
  const faults = new FaultLog();
  const fleet = await Fleet.start({
    bundle,
    databaseUrl: postgres.url,
    target: postgres.address,
    folder,
    servers: {
      counter: {
        command: 'node',
        args: [join(ROOT, 'tests/faults/counter-server.mjs')],
        env: { COUNTER_LOG: counter.file, COUNTER_STATE: join(folder, 'state') },
        concurrency: 64,
      },
    },
    size: options.engines,
    random,
    faults,
    mayArm: may,
  });
  const onExit = () => {
    fleet.closeNow();
    postgres.removeNow();
    rmSync(bundle, { force: true });
    rmSync(`${bundle}.map`, { force: true });
    if (options.keep !== true) rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', onExit);
  const onSignal = () => process.exit(130);
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);

  const result: FaultResult = {
    seed,
    programs: 0,
    runs: 0,
    calls: 0,
    events: 0,
    seconds: 0,
    repeatedRequests: 0,
    resolvedOutcomes: 0,
    struck: faults.struck,
    violations: [],
    timelines: [],
  };
  const people = new People(postgres, random);
  const client = new PatientClient(fleet, random);
  const recovery = watchRecovery(postgres, fleet, faults);
  let lastStream = 0;
  try {
    for (const definition of fixedDefinitions()) {
      const answer = await client.ask('POST', '/api/v1/workflows', definition);
      if (answer.status !== 201) throw new Error(`${definition.name} is refused: ${JSON.stringify(answer.body)}`);
    }
    for (let round = 0; result.programs < options.programs; round++) {
      if (Date.now() - began > options.minutes * 60_000) break;
      const size = Math.min(options.roundSize ?? ROUND, options.programs - result.programs);
      const programs = makePrograms(random, seed, round, size, may('poison') && round % 3 === 0);
      const [clock] = await postgres.query<{ now: Date }>('SELECT clock_timestamp() AS now');
      const driven = new Round({ client, people, postgres, counter, random }, programs);
      const nemesis = new Nemesis({ postgres, fleet, random, faults, mayStrike: may });
      nemesis.begin();
      await driven.drive();
      await nemesis.stop();
      const stuck = await driven.settle();
      const evidence = await collect(postgres, counter, clock?.now ?? new Date(0), lastStream);
      const violations = checkLaws(driven, evidence, stuck);
      result.programs += size;
      result.runs += evidence.runs.size;
      for (const run of evidence.runs.values()) result.events += run.events.length;
      for (const key of evidence.keys) result.calls += evidence.lines(key).filter((line) => line.what === 'start').length;
      result.violations.push(...violations.map((violation) => ({ ...violation, round })));
      for (const violation of violations.slice(0, 5)) {
        if (result.timelines.length < 8) result.timelines.push(timeline(violation, seed, driven, evidence, faults));
      }
      const last = evidence.stream.at(-1);
      if (last) lastStream = last.seq + last.count - 1;
      counter.clear();
      say(`round ${round}: ${size} programs, ${evidence.runs.size} runs, ${faults.struck.length} faults so far, ${violations.length} violations, ${Math.round((Date.now() - began) / 1000)} s`);
      if (stuck.length > 0) break;
    }
  } finally {
    result.repeatedRequests = client.repeated;
    result.resolvedOutcomes = people.resolved;
    recovery.stop();
    await people.close().catch(() => undefined);
    await fleet.close();
    await postgres.remove().catch(() => undefined);
    process.off('exit', onExit);
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    onExit();
    if (options.keep === true) say(`kept: ${folder}`);
  }
  result.seconds = (Date.now() - began) / 1000;
  return result;
}

function makePrograms(random: Random, seed: number, round: number, size: number, poison: boolean): Program[] {
  const name = (i: number) => `p${seed}-${round}-${i}`;
  const programs = Array.from({ length: size }, (_none, i) => randomProgram(random, name(i)));
  if (poison && size > 1) programs[1] = poisonProgram(name(1));
  return programs;
}
