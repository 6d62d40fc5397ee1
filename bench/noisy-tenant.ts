import { NOISY } from '@/bench/engine-definitions';
import type { EngineUnderTest } from '@/bench/engine-under-test';
import { closedLoop } from '@/bench/support/closed-loop';
import { round, type Spread } from '@/bench/support/stats';

/** Starts of the noisy organisation under way at once. */
const SENDING = 512;
/** How long its slow step takes. */
const SLOW_MS = 20;
/** How often it is noted how many of its runs wait. */
const SAMPLE_MS = 250;
/** After its last request the quiet organisation counts as active for a second more. */
const SILENCE_MS = 1_500;

export interface NoisyPlan {
  /** Runs of the noisy organisation that wait for their turn when the measuring begins. */
  runs: number;
  /** How long each of the three measurements goes on. */
  seconds: number;
}

export interface NoisyResult {
  /** The quiet organisation, before there is any noise and beside it. */
  alone: Spread & { runs: number };
  beside: Spread & { runs: number };
  /** Runs of the noisy organisation, accepted and without their first step, while the quiet one was measured beside them. */
  backlog: {
    atStart: number;
    least: number;
    atEnd: number;
    /** Taken every quarter of a second. */
    samples: number[];
    /** Rows of the noisy organisation in the inbox before and after: those of them that the engine has not taken up at all. */
    inboxRows: { before: number; after: number };
  };
  /** Starts of the noisy organisation that were accepted a second, and its runs that ended, beside the quiet one and without it. */
  noise: { acceptedBeside: number; endedBeside: number; acceptedAlone: number; endedAlone: number };
}

/**
 * An organisation that floods the engine. Until `release` its runs hang in their slow step: the first ones fill what the engine
 * takes in hand, all others stay in the inbox, so that a backlog of any size can be made.
 */
class NoisyTenant {
  accepted = 0;
  begun = 0;
  ended = 0;
  /** Lets go what hangs in the slow step; from then on that step takes its time and no more. */
  release = () => {};
  private readonly released = new Promise<void>((resolve) => {
    this.release = resolve;
  });
  private sending = true;

  readonly functions = {
    'noise-begins': () => {
      this.begun++;
      return { ok: true };
    },
    'noise-is-slow': async () => {
      await this.released;
      await pause(SLOW_MS);
      return { ok: true };
    },
    'noise-ends': () => {
      this.ended++;
      return { ok: true };
    },
  };

  get waiting(): number {
    return this.accepted - this.begun;
  }

  /** Starts runs, SENDING at a time, until `enough` or `stop`. */
  async flood(engine: EngineUnderTest, organization: string, enough = () => false): Promise<void> {
    const lane = async () => {
      while (this.sending && !enough()) {
        await engine.start(NOISY.name, engine.newRunId(), organization);
        this.accepted++;
      }
    };
    await Promise.all(Array.from({ length: SENDING }, lane));
  }

  stop(): void {
    this.sending = false;
  }
}

/** What the engine is opened with, and what measures in it. The engine is good for one measurement. */
export function noisyTenant() {
  const noise = new NoisyTenant();
  return {
    functions: noise.functions,
    measure: (engine: EngineUnderTest, plan: NoisyPlan) => measure(engine, noise, plan),
  };
}

/**
 * One organisation runs one run at a time: alone, then beside another that has queued `runs` runs and goes on sending. What the
 * noisy one gets done is counted beside the quiet one and afterwards, when that is silent.
 */
async function measure(engine: EngineUnderTest, noise: NoisyTenant, plan: NoisyPlan): Promise<NoisyResult> {
  const { runs, seconds } = plan;
  const quiet = engine.newOrganization();
  const noisy = engine.newOrganization();
  const one = () => engine.run('three-steps', quiet);
  const inbox = () =>
    engine.count(`SELECT count(*) AS n FROM workflow_inbox WHERE organization_id = '${noisy}'`);
  const alone = await closedLoop({ concurrency: 1, seconds }, one);

  await noise.flood(engine, noisy, () => noise.waiting >= runs);
  const hung = noise.begun;
  noise.release();
  const flooding = noise.flood(engine, noisy);
  // A flood that fails is reported where it is waited for.
  flooding.catch(() => undefined);
  // Those that hung all come out at once, which is not what is measured.
  while (noise.ended < hung) await pause(10);
  const rowsBefore = await inbox();
  const atStart = noise.waiting;

  const samples: number[] = [];
  const sampling = setInterval(() => samples.push(noise.waiting), SAMPLE_MS);
  const countBeside = counter(noise);
  const beside = await closedLoop({ concurrency: 1, seconds }, one);
  const besideRates = countBeside();
  clearInterval(sampling);
  const atEnd = noise.waiting;
  const rowsAfter = await inbox();

  await pause(SILENCE_MS);
  const countAlone = counter(noise);
  await pause(seconds * 1000);
  const aloneRates = countAlone();
  noise.stop();
  await flooding;
  return {
    alone: spreadOf(alone),
    beside: spreadOf(beside),
    backlog: {
      atStart,
      least: Math.min(atStart, atEnd, ...samples),
      atEnd,
      samples,
      inboxRows: { before: rowsBefore, after: rowsAfter },
    },
    noise: {
      acceptedBeside: besideRates.accepted,
      endedBeside: besideRates.ended,
      acceptedAlone: aloneRates.accepted,
      endedAlone: aloneRates.ended,
    },
  };
}

/** Counts from now on; what it gives back ends the count and says how much came a second. */
function counter(noise: NoisyTenant) {
  const { accepted, ended } = noise;
  const begun = performance.now();
  return () => {
    const aSecond = (count: number) => round((count * 1000) / (performance.now() - begun), 1);
    return { accepted: aSecond(noise.accepted - accepted), ended: aSecond(noise.ended - ended) };
  };
}

function spreadOf({ p50, p90, p95, p99, max, runs }: Spread & { runs: number }): Spread & { runs: number } {
  return { p50, p90, p95, p99, max, runs };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
