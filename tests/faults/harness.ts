import { CRASH_POINTS } from '@/server/workers/engine/crash-points';
import { collect } from '@/tests/faults/evidence';
import { CLIENT_FAULTS, type ClientFault, type StruckFault } from '@/tests/faults/fault-log';
import { checkLaws, type Violation } from '@/tests/faults/laws';
import { NEMESIS_FAULTS, Nemesis } from '@/tests/faults/nemesis';
import { type Program, poisonProgram, randomProgram } from '@/tests/faults/programs';
import { Round } from '@/tests/faults/round';
import { timeline } from '@/tests/faults/timeline';
import { openWorld } from '@/tests/faults/world';
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
  /** Over how many milliseconds the starts of a round are spread. */
  spreadMs?: number;
  /** A round goes on until this many faults have struck (and the starts are done), for twenty seconds at most. */
  leastFaults?: number;
  /** The first processes die at one crash point each, at its first pass, so that every one is struck. */
  everyCrashPoint?: boolean;
  say: (line: string) => void;
}

export interface FaultResult {
  seed: number;
  programs: number;
  runs: number;
  calls: number;
  events: number;
  seconds: number;
  /** False when the time was over before every program was run. */
  complete: boolean;
  repeatedRequests: number;
  resolvedOutcomes: number;
  struck: StruckFault[];
  /** Calls of processes that were stopped right before the first byte and made them when they woke. */
  lateCalls: string[];
  /** How often clients and people did what they should not. */
  asked: Record<ClientFault, number>;
  violations: (Violation & { round: number })[];
  /** Everything about the first broken runs: definition, history, calls, faults. */
  timelines: string[];
}

/** Every fault there is, by the name that the report and `--only` use. */
export const ALL_FAULTS = [
  ...NEMESIS_FAULTS,
  ...CRASH_POINTS.map((point) => `crash:${point}`),
  'clock-skew',
  'poison',
  ...CLIENT_FAULTS,
];

const ROUND = 250;
/** The first round has this many programs, and no fault: then every call is made exactly once. */
const CALM_ROUND = 25;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Runs random programs on real processes while faults strike, round by round, and checks every law after each round. */
export async function runFaults(options: FaultOptions): Promise<FaultResult> {
  const { seed, say } = options;
  const began = Date.now();
  const random = new Random(seed);
  const may = (fault: string) =>
    options.only === null || options.only.some((name) => fault === name || fault.startsWith(`${name}:`));
  const world = await openWorld({ random, engines: options.engines, may, keep: options.keep ?? false, say });
  const { postgres, fleet, counter, people, client, faults } = world;

  const result: FaultResult = {
    seed,
    programs: 0,
    runs: 0,
    calls: 0,
    events: 0,
    seconds: 0,
    complete: false,
    repeatedRequests: 0,
    resolvedOutcomes: 0,
    struck: faults.struck,
    asked: faults.asked,
    lateCalls: [],
    violations: [],
    timelines: [],
  };
  let lastStream: number | null = null;
  try {
    for (let round = 0; result.programs < options.programs; round++) {
      if (Date.now() - began > options.minutes * 60_000) break;
      const calm = round === 0;
      const wanted = calm ? CALM_ROUND : (options.roundSize ?? ROUND);
      const size = Math.min(wanted, options.programs - result.programs);
      const poison = !calm && may('poison') && round % 3 === 1;
      const programs = makePrograms(random, seed, round, size, poison);
      fleet.poisoned = poison;
      const [clock] = await postgres.query<{ now: Date }>('SELECT clock_timestamp() AS now');
      const driven = new Round(
        { client, people, postgres, counter, random, faults, spreadMs: options.spreadMs ?? 0 },
        programs,
      );
      const nemesis = new Nemesis({ postgres, fleet, random, faults, mayStrike: may });
      if (!calm) nemesis.begin();
      if (round === 1 && options.everyCrashPoint) fleet.dieAtEveryPoint();
      await driven.drive();
      for (let waited = 0; !calm && fleet.nextCrashes.length > 0 && waited < 1_200; waited++)
        await pause(100);
      for (let waited = 0; !calm && nemesis.strikes < (options.leastFaults ?? 0) && waited < 200; waited++)
        await pause(100);
      await nemesis.stop();
      const stuck = await driven.settle();
      const evidence = await collect(postgres, counter, clock?.now ?? new Date(0), lastStream);
      const violations = checkLaws(driven, evidence, stuck, {
        exact: calm,
        sleeps: faults.sleeps,
        late: (text) => result.lateCalls.push(text),
      });
      for (const text of fleet.surprises.splice(0))
        violations.push({ law: 'no process ends by itself', runId: null, text });
      result.programs += size;
      result.runs += evidence.runs.size;
      for (const run of evidence.runs.values()) result.events += run.events.length;
      for (const key of evidence.keys)
        result.calls += evidence.lines(key).filter((line) => line.what === 'start').length;
      result.violations.push(...violations.map((violation) => ({ ...violation, round })));
      for (const violation of violations.slice(0, 5)) {
        if (result.timelines.length < 8)
          result.timelines.push(timeline(violation, seed, driven, evidence, faults));
      }
      const last = evidence.stream.at(-1);
      if (last) lastStream = last.seq + last.count - 1;
      counter.clear();
      say(
        `round ${round}: ${size} programs, ${evidence.runs.size} runs, ${faults.whole.length} faults so far, ${violations.length} violations, ${Math.round((Date.now() - began) / 1000)} s`,
      );
      for (const { law, runId, text } of violations.slice(0, 5)) say(`  ✗ ${law}: ${text} (${runId ?? '-'})`);
      if (stuck.length > 0) break;
    }
    result.complete = result.programs >= options.programs;
  } finally {
    result.repeatedRequests = client.repeated;
    result.resolvedOutcomes = people.resolved;
    await world.close();
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
