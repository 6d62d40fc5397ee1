import { HEALTH_TIMEOUT_MS } from '@/server/health';
import { collect } from '@/tests/faults/evidence';
import { checkLaws } from '@/tests/faults/laws';
import { atTheLimit, randomProgram } from '@/tests/faults/programs';
import { Round } from '@/tests/faults/round';
import { openWorld, type World } from '@/tests/faults/world';
import { Random } from '@/tests/simulation/random';

export interface OutageOptions {
  outageMs: number;
  engines: number;
  /** Programs under way around the outage; 120 when left out. */
  programs?: number;
  say: (line: string) => void;
}

/** What one process said about itself, at one moment. */
interface HealthReading {
  at: number;
  /** When the answer was there; the same as `at` when none came. */
  until: number;
  slot: string;
  /** HTTP status, 0 when nothing answered. */
  http: number;
  status: string;
  database: string;
}

export interface OutageResult {
  outageMs: number;
  programs: number;
  runs: number;
  /** From the moment Postgres takes connections again: until every shard is led, and until every run has ended. */
  shardsLedMs: number | null;
  allRunsEndedMs: number;
  firstCommitMs: number | null;
  readings: number;
  violations: string[];
  text: string;
}

const PROGRAMS = 120;
/** One start in so many has an input at the limit: no process has read all of it when it refuses it. */
const LARGE_EVERY = 8;
/** How long after a change /health/deep may still tell the state before: its own time limit and one look. */
const GRACE_MS = 2_500;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Stops Postgres under load for a while and starts it again: nothing acknowledged is lost, nothing is stuck, health is truthful. */
export async function runOutage(options: OutageOptions): Promise<OutageResult> {
  const { outageMs, engines, programs: size = PROGRAMS, say } = options;
  const random = new Random(1);
  const world = await openWorld({ random, engines, may: () => false, say });
  const { postgres, client, people, counter, fleet } = world;
  const readings: HealthReading[] = [];
  let watching = true;
  try {
    const programs = Array.from({ length: size }, (_none, i) => {
      const program = randomProgram(random, `outage-${i}`);
      return i % LARGE_EVERY === 0 ? atTheLimit(program) : program;
    });
    const round = new Round({ client, people, postgres, counter, random, faults: world.faults }, programs);
    const [clock] = await postgres.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    const watcher = (async () => {
      while (watching) {
        await Promise.all(fleet.slots.map((slot) => read(world, slot.name, readings)));
        await pause(200);
      }
    })();
    await round.publish();
    await pause(1_000);
    const driving = round.drive();
    // Half of the programs are under way, starts of the other half knock at the door meanwhile.
    for (let tries = 0; round.started.length < size / 2 && tries < 300; tries++) await pause(100);
    say(`${round.started.length} runs acknowledged; Postgres stops`);
    const stopped = Date.now();
    await postgres.stop();
    await pause(outageMs);
    const starting = Date.now();
    await postgres.launch();
    const back = Date.now();
    say(`Postgres is back after ${back - stopped} ms`);
    const shardsLed = led(world, back);
    await driving;
    const stuck = await round.settle();
    const ended = Date.now();
    await pause(GRACE_MS);
    watching = false;
    await watcher;
    const evidence = await collect(postgres, counter, clock?.now ?? new Date(0), null);
    const violations = checkLaws(round, evidence, stuck).map(
      (found) => `${found.law}: ${found.text} (${found.runId ?? '-'})`,
    );
    violations.push(...fleet.surprises.map((text) => `no process ends by itself: ${text}`));
    violations.push(...untruths(readings, stopped, starting, back, ended));
    const commits = [...evidence.runs.values()].flatMap((run) => run.events.map((event) => event.committed));
    const first = Math.min(...commits.filter((at) => at > starting));
    const result = {
      outageMs: back - stopped,
      programs: size,
      runs: evidence.runs.size,
      shardsLedMs: await shardsLed,
      firstCommitMs: Number.isFinite(first) ? Math.round(first - back) : null,
      allRunsEndedMs: ended - back,
      readings: readings.length,
      violations,
    };
    return { ...result, text: describe(result) };
  } finally {
    watching = false;
    await world.close();
  }
}

async function read({ fleet }: World, name: string, readings: HealthReading[]): Promise<void> {
  const slot = fleet.slots.find((one) => one.name === name);
  if (slot?.engine?.isUp !== true) return;
  const at = Date.now();
  try {
    const response = await fetch(`${slot.engine.url}/health/deep`, { signal: AbortSignal.timeout(30_000) });
    const body = (await response.json()) as { status: string; checks: Record<string, { status: string }> };
    readings.push({
      at,
      until: Date.now(),
      slot: name,
      http: response.status,
      status: body.status,
      database: body.checks.database?.status ?? '?',
    });
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    const status = `no answer after ${Date.now() - at} ms: ${error}${cause === undefined ? '' : ` (${cause})`}`;
    readings.push({ at, until: at, slot: name, http: 0, status, database: '?' });
  }
}

/** Milliseconds until every shard is led by a living process, from `since`. */
async function led({ postgres }: World, since: number): Promise<number | null> {
  for (let tries = 0; tries < 600; tries++) {
    const [row] = await postgres
      .query<{ led: boolean }>('SELECT bool_and(lease_until > clock_timestamp()) AS led FROM workflow_shard')
      .catch(() => []);
    if (row?.led === true) return Date.now() - since;
    await pause(50);
  }
  return null;
}

/** Readings that said something else than what was so. Around each change there is a moment in which both are true. */
function untruths(
  readings: readonly HealthReading[],
  stopped: number,
  starting: number,
  back: number,
  ended: number,
): string[] {
  const found: string[] = [];
  const say = (reading: HealthReading, truth: string) =>
    found.push(
      `/health/deep is truthful: ${reading.slot} said ${reading.http} ${reading.status} (database ${reading.database}) while ${truth}`,
    );
  // Beyond the time limit of its own looks an answer tells of a machine that was busy.
  const tookLong = (reading: HealthReading | undefined) =>
    reading !== undefined && reading.until - reading.at > HEALTH_TIMEOUT_MS;
  const before = new Map<string, HealthReading>();
  for (const reading of readings) {
    const last = before.get(reading.slot);
    before.set(reading.slot, reading);
    // On a slow machine an answer can come when things have changed since it was asked for.
    const isDown = reading.at > stopped + GRACE_MS && reading.until < starting - GRACE_MS;
    const isUp = reading.until < stopped - GRACE_MS || (reading.at > back + GRACE_MS && reading.at < ended);
    if (isDown && (reading.http !== 503 || reading.database !== 'down')) say(reading, 'Postgres was stopped');
    // One such answer is forgiven; two in a row of one process are not.
    if (isUp && tookLong(reading) && !tookLong(last)) continue;
    if (isUp && (reading.http !== 200 || reading.database !== 'ok')) say(reading, 'Postgres was there');
  }
  if (
    !readings.some((reading) => reading.at > stopped && reading.at < starting && reading.database === 'down')
  ) {
    found.push('/health/deep is truthful: nobody ever said that the database was down');
  }
  return found;
}

function describe(result: Omit<OutageResult, 'text'>): string {
  const ms = (value: number | null) => (value === null ? '-' : `${(value / 1000).toFixed(1)} s`);
  return [
    `Postgres was away for ${ms(result.outageMs)} under load: ${result.programs} programs, ${result.runs} runs checked`,
    `after it was back: first commit ${ms(result.firstCommitMs)}, every shard led ${ms(result.shardsLedMs)}, every run ended ${ms(result.allRunsEndedMs)}`,
    `${result.readings} readings of /health/deep`,
    result.violations.length === 0
      ? 'Nothing acknowledged was lost, nothing is stuck, health was truthful throughout.'
      : `${result.violations.length} VIOLATIONS`,
    ...result.violations.slice(0, 20),
  ].join('\n');
}
