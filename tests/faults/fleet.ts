import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CRASH_POINTS, type CrashPoint } from '@/server/workers/engine/crash-points';
import { Engine } from '@/tests/faults/engine';
import type { FaultLog } from '@/tests/faults/fault-log';
import { PAYLOAD_LIMIT } from '@/tests/faults/programs';
import { FaultyProxy } from '@/tests/faults/proxy';
import type { Random } from '@/tests/simulation/random';

const CLOCK_OFFSETS = ['300000', '-300000'];
/** Long against the time between two kills of one process, short enough to wait for at the end of a round. */
const CALM_MS = 45_000;
/** A process that was asked to end has two seconds for the calls under way; a slow machine, or one cut off, needs longer. */
const DRAIN_MS = 30_000;

export interface FleetOptions {
  bundle: string;
  databaseUrl: string;
  folder: string;
  servers: Record<string, unknown>;
  size: number;
  random: Random;
  faults: FaultLog;
  /** Which arms a new process may get. */
  mayArm: (fault: string) => boolean;
}

/** One place for an engine process: when the process ends, another takes the place. */
export interface Slot {
  readonly name: string;
  readonly proxy: FaultyProxy;
  engine: Engine | null;
  /** Ended by the harness itself with this fault, so that its end is not counted twice. */
  killedBy: string | null;
  stopped: boolean;
}

/** Keeps a number of engine processes alive on one database, each behind its own proxy. */
export class Fleet {
  readonly slots: Slot[] = [];
  /** While true, new processes may be armed with crash points and wrong clocks. */
  arming = false;
  /** While true, a run is under way that ends processes. */
  poisoned = false;
  /** Ends of processes that nobody meant, and processes that did not end when they were asked to. */
  readonly surprises: string[] = [];
  /** Crash points that the next processes get, before any is drawn. */
  readonly nextCrashes: CrashPoint[] = [];
  /** How long the last process took to start, in milliseconds. */
  startMs = 0;
  /** While true, ended processes are not replaced. */
  private closing = false;
  private readonly lives: Promise<void>[] = [];

  private constructor(private readonly options: FleetOptions) {}

  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    for (let i = 0; i < options.size; i++) {
      const proxy = await FaultyProxy.start(options.databaseUrl);
      const slot: Slot = { name: `engine-${i}`, proxy, engine: null, killedBy: null, stopped: false };
      fleet.slots.push(slot);
      fleet.lives.push(fleet.keepAlive(slot));
    }
    return fleet;
  }

  /** Engines that answer, those that are stopped by SIGSTOP aside. */
  up(): Slot[] {
    return this.slots.filter((slot) => slot.engine?.isUp === true && !slot.stopped);
  }

  /** Replaces processes that would still die by themselves. */
  disarm(): void {
    this.arming = false;
    for (const slot of this.slots) {
      if (slot.engine?.arms.OPENCONDUCTOR_CRASH_POINT !== undefined) this.kill(slot, 'disarm');
    }
  }

  kill(slot: Slot, fault: string): void {
    slot.killedBy = fault;
    slot.engine?.signal('SIGKILL');
  }

  /**
   * The next processes die at one crash point each, at its first pass; those of now make room for them. Those points come
   * first that are not passed all the time.
   */
  dieAtEveryPoint(): void {
    const rare: CrashPoint[] = ['during-compensation', 'after-append-before-ack'];
    this.nextCrashes.push(...rare, ...CRASH_POINTS.filter((point) => !rare.includes(point)));
    for (const slot of this.slots) this.kill(slot, 'makes room');
  }

  /** Asks a process to end and waits until it has; gives its exit code. */
  async drain(slot: Slot): Promise<number | null> {
    const { engine } = slot;
    if (engine === null) return null;
    slot.killedBy = 'drain';
    engine.signal('SIGTERM');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    });
    await Promise.race([engine.end, late]);
    clearTimeout(timer);
    if (engine.ended === null) {
      this.surprises.push(`${slot.name} did not end within ${DRAIN_MS} ms of SIGTERM`);
      engine.signal('SIGKILL');
    } else if (engine.ended.code !== 0 && engine.ended.signal !== 'SIGKILL') {
      this.surprises.push(
        `${slot.name} drained with ${JSON.stringify(engine.ended)}: ${this.lastWords(slot)}`,
      );
    }
    return engine.ended?.code ?? null;
  }

  async close(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.closing = true;
    for (const slot of this.slots) {
      slot.engine?.signal('SIGCONT');
      slot.engine?.signal(signal);
    }
    await Promise.all(this.lives);
    for (const slot of this.slots) await slot.proxy.close();
  }

  /** For the harness's own sudden end. */
  closeNow(): void {
    this.closing = true;
    for (const slot of this.slots) slot.engine?.signal('SIGKILL');
  }

  private async keepAlive(slot: Slot): Promise<void> {
    while (!this.closing) {
      const chosen = this.arming ? this.nextCrashes.shift() : undefined;
      const arms = chosen === undefined ? this.arms() : { OPENCONDUCTOR_CRASH_POINT: `${chosen}:1` };
      const markFile = join(this.options.folder, `${slot.name}.crashed`);
      rmSync(markFile, { force: true });
      const engine = Engine.start({
        bundle: this.options.bundle,
        databaseUrl: slot.proxy.url,
        dataDir: join(this.options.folder, slot.name),
        servers: this.options.servers,
        logFile: join(this.options.folder, `${slot.name}.log`),
        env: {
          OPENCONDUCTOR_LOG_LEVEL: 'info',
          OPENCONDUCTOR_MAX_PAYLOAD_BYTES: String(PAYLOAD_LIMIT),
          OPENCONDUCTOR_DATABASE_POOL: '6',
          OPENCONDUCTOR_CALM_MS: String(CALM_MS),
          OPENCONDUCTOR_CRASH_MARK: markFile,
          ...arms,
        },
      });
      slot.killedBy = null;
      slot.engine = engine;
      const begun = Date.now();
      void engine.ready.then((isReady) => {
        if (isReady) this.startMs = Date.now() - begun;
      });
      if (arms.OPENCONDUCTOR_CLOCK_OFFSET_MS)
        this.options.faults.note('clock-skew', `${slot.name} ${arms.OPENCONDUCTOR_CLOCK_OFFSET_MS}`);
      await engine.end;
      const marked = existsSync(markFile);
      // Something else was quicker: the next process dies there.
      if (chosen !== undefined && !marked) this.nextCrashes.unshift(chosen);
      this.judge(slot, engine, marked);
      if (!this.closing)
        await new Promise((resolve) => setTimeout(resolve, 50 + this.options.random.below(400)));
    }
  }

  /**
   * What the end of a process that nobody of the harness ended means: it was armed and left its mark, somebody's input
   * killed it, or it ended by itself, which it never may. Without a database it may refuse to start.
   */
  private judge(slot: Slot, engine: Engine, marked: boolean): void {
    if (this.closing || slot.killedBy !== null) return;
    const crash = engine.arms.OPENCONDUCTOR_CRASH_POINT?.split(':')[0];
    if (marked && crash !== undefined) this.options.faults.note(`crash:${crash}`, slot.name);
    else if (this.poisoned && engine.ended?.signal === 'SIGKILL')
      this.options.faults.note('poison', slot.name);
    else if (engine.url !== null)
      this.surprises.push(
        `${slot.name} ended by itself: ${JSON.stringify(engine.ended)}: ${this.lastWords(slot)}`,
      );
  }

  /** What a process said last of something that failed. */
  private lastWords(slot: Slot): string {
    const lines = readFileSync(join(this.options.folder, `${slot.name}.log`), 'utf8')
      .trimEnd()
      .split('\n');
    return (
      lines
        .slice(-20)
        .filter((line) => /fail|error/i.test(line))
        .at(-1) ??
      lines.at(-1) ??
      ''
    );
  }

  private arms(): Record<string, string> {
    const { random, mayArm } = this.options;
    if (!this.arming) return {};
    const arms: Record<string, string> = {};
    const points = CRASH_POINTS.filter((point) => mayArm(`crash:${point}`));
    if (points.length > 0 && random.chance(0.6)) {
      const point = random.pick(points);
      const rare =
        point === 'during-lease-renewal' ||
        point === 'during-compensation' ||
        point === 'after-append-before-ack';
      arms.OPENCONDUCTOR_CRASH_POINT = `${point}:${1 + random.below(rare ? 12 : 150)}`;
    }
    if (mayArm('clock-skew') && random.chance(0.3))
      arms.OPENCONDUCTOR_CLOCK_OFFSET_MS = random.pick(CLOCK_OFFSETS);
    return arms;
  }
}
