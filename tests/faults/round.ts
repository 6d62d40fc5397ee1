import type { PatientClient } from '@/tests/faults/client';
import type { CounterLog } from '@/tests/faults/counter-log';
import type { FaultyPostgres } from '@/tests/faults/database';
import type { FaultLog } from '@/tests/faults/fault-log';
import type { People } from '@/tests/faults/people';
import { oversizedInput, PAYLOAD_LIMIT, type Program } from '@/tests/faults/programs';
import type { Random } from '@/tests/simulation/random';

export interface RoundDeps {
  client: PatientClient;
  people: People;
  postgres: FaultyPostgres;
  counter: CounterLog;
  random: Random;
  faults: FaultLog;
  /** Over how many milliseconds the starts are spread; as fast as they are answered when left out. */
  spreadMs?: number;
}

/** A program whose start was acknowledged. */
export interface StartedProgram {
  program: Program;
  runId: string;
  key: string;
}

/** What a reader was told about a closed run. */
export interface Report {
  status: string;
  output: string;
  failure: string;
  historyLength: number;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** Programs that are open at the same time, at most. */
const OPEN_AT_ONCE = 200;
/** Clients that start programs at the same time. */
const HANDS = 10;
/** Faults go on until no more than this share of the programs is open, or for so long after the last start. */
const MOSTLY = 0.05;
const STRIKE_ON_MS = 90_000;
/** How long after the last fault a run may take to end: a poison run goes on ending processes, and is held back for a time. */
const TAIL_MS = 180_000;

/** Some programs, driven while faults strike, with everything that was acknowledged or reported on record. */
export class Round {
  readonly started: StartedProgram[] = [];
  /** Acknowledged signals by their id. */
  readonly signals: { runId: string; signalId: string; started: StartedProgram }[] = [];
  /** Acknowledged cancels, with the moment (epoch ms) of the answer. */
  readonly cancels: { runId: string; at: number }[] = [];
  readonly reports = new Map<string, Report>();
  /** Things that clients saw and that must never be. */
  readonly complaints: string[] = [];
  private striking = true;
  private isPublished = false;

  constructor(
    private readonly deps: RoundDeps,
    private readonly programs: readonly Program[],
  ) {}

  /** Publishes every program now, so that nothing stands before a start; without it `drive` publishes each as it comes to it. */
  async publish(): Promise<void> {
    for (const program of this.programs) await this.publishOne(program);
    this.isPublished = true;
  }

  /**
   * Publishes, starts, signals, approves and watches until every program was started and most have ended. Faults may
   * strike all along.
   */
  async drive(): Promise<void> {
    const { people, counter } = this.deps;
    const watching = [
      this.repeat(() => people.decide(), 250),
      this.repeat(() => people.resolve(counter), 500),
      this.repeat(() => this.watch(), 60),
    ];
    const { spreadMs = 0 } = this.deps;
    const waiting = [...this.programs];
    const hands = Array.from({ length: HANDS }, async () => {
      for (let program = waiting.shift(); program !== undefined; program = waiting.shift()) {
        await this.room();
        await pause(this.deps.random.below(1 + (2 * HANDS * spreadMs) / this.programs.length));
        await this.begin(program);
      }
    });
    await Promise.all(hands);
    await this.refuseOversized();
    const until = Date.now() + STRIKE_ON_MS;
    const few = Math.floor(this.programs.length * MOSTLY);
    const open = () => this.openRuns().catch(() => this.started);
    while (Date.now() < until && (await open()).length > few) await pause(250);
    this.striking = false;
    await Promise.all(watching);
  }

  /** After the last fault: people settle what is parked, then every run must end. Gives the ids of those that do not. */
  async settle(): Promise<string[]> {
    const { people, counter } = this.deps;
    const until = Date.now() + TAIL_MS;
    await pause(1_500);
    for (;;) {
      try {
        await people.decide();
        await people.resolve(counter);
        const open = await this.openRuns();
        if (open.length === 0) break;
        if (Date.now() > until) return open;
      } catch (error) {
        if (Date.now() > until) throw error;
      }
      await pause(100);
    }
    for (const { runId } of this.started) await this.observe(runId, true);
    return [];
  }

  private async openRuns(): Promise<string[]> {
    const rows = await this.deps.postgres.query<{ run_id: string }>(
      'SELECT run_id FROM workflow_run WHERE closed_at IS NULL',
    );
    return rows.map((row) => row.run_id);
  }

  private async room(): Promise<void> {
    while (this.started.length - this.reports.size > OPEN_AT_ONCE) await pause(50);
  }

  private async publishOne({ name, definition }: Program): Promise<void> {
    const { status, body } = await this.deps.client.ask('POST', '/api/v1/workflows', definition);
    if (status !== 201) throw new Error(`${name} is refused: ${JSON.stringify(body)}`);
  }

  private async begin(program: Program): Promise<void> {
    const { client, random } = this.deps;
    if (!this.isPublished) await this.publishOne(program);
    const key = `start:${program.name}`;
    const body = { workflow: program.name, input: program.input };
    const answer = await client.ask('POST', '/api/v1/runs', body, key);
    if (answer.status !== 201) {
      this.complaints.push(
        `start of ${program.name} was answered with ${answer.status} ${JSON.stringify(answer.body)}`,
      );
      return;
    }
    const started: StartedProgram = { program, runId: answer.body.runId, key };
    this.started.push(started);
    if (Buffer.byteLength(JSON.stringify(program.input)) === PAYLOAD_LIMIT)
      this.deps.faults.count('payload at the limit');
    if (random.chance(0.1)) {
      this.deps.faults.count('duplicate starts');
      const again = await client.ask('POST', '/api/v1/runs', body, key);
      if (again.body?.runId !== started.runId)
        this.complaints.push(
          `the same start of ${program.name} gave two runs: ${started.runId}, ${again.body?.runId}`,
        );
    }
    void this.signal(started).catch((error: unknown) => this.complaints.push(String(error)));
    if (program.cancelAfterMs !== null) void this.cancel(started, program.cancelAfterMs);
  }

  /** Sends the signals that the program waits for, in random order, some of them twice. */
  private async signal(started: StartedProgram): Promise<void> {
    const { client, random } = this.deps;
    const { program } = started;
    const names = program.sites.flatMap((site) => (site.signal === undefined ? [] : [site.signal]));
    const inOrder = names.join();
    for (let i = names.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [names[i], names[j]] = [names[j] as string, names[i] as string];
    }
    if (names.join() !== inOrder) this.deps.faults.count('reordered signals');
    for (let round = 0; round <= program.continues; round++) {
      const runId = round === 0 ? started.runId : await this.nextOfChain(started, round);
      if (runId === null) return;
      for (const name of names) {
        await pause(random.below(400));
        const signalId = `signal:${runId}:${name}`;
        const sends = random.chance(0.25) ? 2 : 1;
        if (sends === 2) this.deps.faults.count('duplicate signals');
        const answers = await Promise.all(
          Array.from({ length: sends }, () =>
            client.ask('POST', `/api/v1/runs/${runId}/signal`, { name, payload: { name } }, signalId),
          ),
        );
        if (answers.some((answer) => answer.status === 202)) this.signals.push({ runId, signalId, started });
        else if (program.ends === 'completed')
          this.complaints.push(
            `signal ${name} to ${runId} was answered with ${answers[0]?.status} ${JSON.stringify(answers[0]?.body)}`,
          );
      }
    }
  }

  private async nextOfChain({ runId }: StartedProgram, place: number): Promise<string | null> {
    for (let tries = 0; tries < 2_000; tries++) {
      const rows = await this.deps.postgres
        .query<{ run_id: string }>(
          'SELECT run_id FROM workflow_run WHERE workflow_id = $1 ORDER BY created_at',
          [runId],
        )
        .catch(() => []);
      if (rows[place]) return rows[place].run_id;
      await pause(100);
    }
    return null;
  }

  private async cancel({ runId }: StartedProgram, afterMs: number): Promise<void> {
    await pause(afterMs);
    const answer = await this.deps.client
      .ask('POST', `/api/v1/runs/${runId}/cancel`, { reason: 'harness' }, `cancel:${runId}`)
      .catch((error: unknown) => this.complaints.push(String(error)));
    if (typeof answer === 'object' && answer.status === 202) this.cancels.push({ runId, at: answer.at });
  }

  private async refuseOversized(): Promise<void> {
    const name = this.started[0]?.program.name;
    if (name === undefined) return;
    this.deps.faults.count('payload over the limit');
    const answer = await this.deps.client.ask('POST', '/api/v1/runs', {
      workflow: name,
      input: oversizedInput(),
    });
    if (answer.status !== 413)
      this.complaints.push(`an input over the limit was answered with ${answer.status}`);
  }

  /** Looks at one random run as a reader would. */
  private async watch(): Promise<void> {
    const { random } = this.deps;
    const open = this.started.filter(({ runId }) => !this.reports.has(runId) || random.chance(0.02));
    if (open.length === 0) return;
    await Promise.all(Array.from({ length: 6 }, () => this.observe(random.pick(open).runId, false)));
  }

  private async observe(runId: string, patient: boolean): Promise<void> {
    const { client } = this.deps;
    const path = `/api/v1/runs/${runId}`;
    // Several readers ask at the same time: only what was reported before this one asked binds its answer.
    const before = this.reports.get(runId);
    const answer = patient ? await client.ask('GET', path) : await client.once('GET', path);
    if (answer === null || answer.status >= 500) return;
    if (answer.status !== 200) {
      this.complaints.push(`the acknowledged run ${runId} was answered with ${answer.status}`);
      return;
    }
    const { status, closedAt, output, failure, historyLength } = answer.body;
    if (closedAt === null) {
      if (before) this.complaints.push(`run ${runId} was reported ${before.status} and later as open`);
      return;
    }
    const report: Report = {
      status,
      output: JSON.stringify(output),
      failure: JSON.stringify(failure),
      historyLength,
    };
    const known = this.reports.get(runId);
    if (known === undefined) this.reports.set(runId, report);
    else if (JSON.stringify(known) !== JSON.stringify(report)) {
      this.complaints.push(
        `run ${runId} was reported as ${JSON.stringify(known)} and later as ${JSON.stringify(report)}`,
      );
    }
  }

  private async repeat(work: () => Promise<unknown>, everyMs: number): Promise<void> {
    while (this.striking) {
      await work().catch(() => undefined);
      await pause(everyMs);
    }
  }
}
