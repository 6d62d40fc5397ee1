import { outstanding } from '@/lib/engine/step';
import type { Clock } from '@/lib/shared/clock';
import type {
  CommitPart,
  ExecutionStore,
  InboxRow,
  OpenRun,
  StoredEvent,
} from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import type { Telemetry } from '@/server/ports/telemetry';
import type { CommitVerdict } from '@/server/workers/engine/committer';
import { carryOut, type EffectsHost } from '@/server/workers/engine/effects';
import { needsNewer } from '@/server/workers/engine/newer';
import type { Programs } from '@/server/workers/engine/programs';
import { Quarantine } from '@/server/workers/engine/quarantine';
import {
  byRun,
  deadLetterPart,
  inBatches,
  persist,
  revive,
  withStart,
} from '@/server/workers/engine/recovery';
import type { ResidentRun } from '@/server/workers/engine/resident-run';
import { type SleepHost, sleepSome } from '@/server/workers/engine/sleep';
import { traceDeadLetter } from '@/server/workers/engine/traced-attempt';

/** What loading runs needs of the host. */
export interface LoaderHost extends EffectsHost, Pick<SleepHost, 'drop' | 'wokenUntil'> {
  readonly deps: EffectsHost['deps'] & {
    readonly store: ExecutionStore;
    readonly programs: Programs;
    readonly clock: Clock;
    readonly log: Log;
    readonly telemetry: Telemetry;
    readonly maxRecoveries: number;
    readonly surviveMs: number;
    readonly calmMs: number;
  } & SleepHost['deps'];
  readonly leases: EffectsHost['leases'] & { epoch(shard: number): number | undefined };
  readonly residents: Map<string, ResidentRun>;
  /** Inbox rows of runs that are being made resident. */
  readonly loading: Map<string, InboxRow[]>;
  /** Hands those rows to what became of the run. */
  handOut(runId: string, run: ResidentRun | 'closed' | null): void;
  /** Takes up the start of a run that was held back. */
  enter(row: InboxRow): void;
  /** Puts a row back in the table. */
  leave(row: InboxRow): void;
  /** The engine cannot go on with this run. */
  stumble(info: OpenRun, error: unknown): void;
  commit(part: CommitPart): Promise<CommitVerdict>;
}

const PAGE = 500;
/** Histories that are read at once, in bytes: what they become in memory is several times as large. */
const BATCH_BYTES = 16 * 1024 * 1024;
/** Loads by new owners, without progress, after which a run is under suspicion of ending the process. */
const SUSPECT_AFTER = 2;
/**
 * Longest a suspect has the line for itself the first time once its calls are made, as a part of the time that it takes to be
 * cleared; later it has all of that.
 */
const FIRST_TRIAL = 1 / 6;
const LOOK_MS = 5;
/** How often it is looked whether a run is to be held back any longer. */
const CALM_LOOK_MS = 50;

/** Brings runs back into memory: all that are due in shards that were taken over, or the one that a command is for. */
export class RunLoader {
  private readonly quarantine = new Quarantine();
  /** Runs that a newer build has moved on: not for this process, as long as it lives. */
  private readonly newer = new Set<string>();
  /** Runs without any event yet, by the number of their loads: their start is still in the inbox. */
  private readonly unborn = new Map<string, number>();
  /**
   * Runs that were found without any event under the leases of now: nobody else can begin them, so that commands to them are
   * left in the table, without looking again, until their start is taken up here.
   */
  private readonly unbegun = new Set<string>();
  /** Suspects whose turn has not come, or is now; with the row of their start where there is one. */
  private readonly onTrial = new Map<string, InboxRow | null>();
  /** The same by run and epoch: a shard that was lost and came back is a new matter. */
  private readonly summoned = new Set<string>();
  /** Suspects that still had calls when their trial was over, and how to stop the clock that clears them. */
  private readonly watched = new Map<string, () => void>();

  private readonly underWay = new Set<readonly OpenRun[]>();

  constructor(private readonly host: LoaderHost) {}

  /** Loads the runs of the shards that must be in memory after `after` and until `until`; gives their number. */
  async loadDue(shards: readonly number[], after: number | null, until: number): Promise<number> {
    let loaded = 0;
    let cursor: { after: number | null; afterRunId: string | null } = { after, afterRunId: null };
    for (;;) {
      const page = await this.host.deps.store.dueRuns(shards, { ...cursor, until }, PAGE);
      await this.loadPage(page);
      loaded += page.length;
      const last = page.at(-1);
      if (!last || page.length < PAGE) return loaded;
      cursor = { after: last.wakeAt, afterRunId: last.runId };
    }
  }

  /** No more at once than memory has room for, and what of it only waits makes room for what follows. */
  private async loadPage(page: readonly OpenRun[]): Promise<void> {
    if (page.length === 0) return;
    const sizes = await this.host.deps.store.historySizes(page.map(({ runId }) => runId));
    for (const batch of inBatches(page, ({ runId }) => sizes.get(runId) ?? 0, BATCH_BYTES)) {
      await this.loadAll(batch, 'page');
      await sleepSome(this.host);
    }
  }

  /** Loads the run of an inbox row, whose rows are in `loading` already. */
  async loadForRow(info: OpenRun): Promise<void> {
    await this.load([info], 'row');
  }

  /** Loads a run anew on which the engine has stumbled. */
  async reload(info: OpenRun): Promise<void> {
    await this.loadAll([info], 'again');
  }

  /** True when the run is left to a newer process: its rows stay where they are, and are not looked at again. */
  isLeft(runId: string): boolean {
    return this.newer.size > 0 && this.newer.has(runId);
  }

  /** Leaves a run to a newer process: this one does not know what its history, or its definition, says. */
  leaveToNewer(runId: string, reason: string): void {
    this.newer.add(runId);
    const { log, store } = this.host.deps;
    log.warn('newer_run', { status: 'left', run_id: runId, reason });
    // That it cannot be loaded here is not its fault.
    this.host.track(store.clearRecoveries([runId]));
  }

  /** Shards of runs that are being read: they are counted as tried until they are in memory, and cleared from there. */
  shardsUnderWay(): Set<number> {
    return new Set([...this.underWay].flatMap((infos) => infos.map(({ shard }) => shard)));
  }

  /**
   * True when a row has to wait: the start of a suspect until it is tried alone (it is begun, or left, from here), what is sent
   * to a run in the table until the start of the run is taken up.
   */
  holds(row: InboxRow): boolean {
    const { runId, eventType } = row;
    if (eventType === 'WORKFLOW_EXECUTION_STARTED') {
      if (this.onTrial.size === 0 || !this.onTrial.has(runId)) return false;
      this.onTrial.set(runId, row);
      return true;
    }
    if (this.unbegun.size === 0 || !this.unbegun.has(runId)) return false;
    this.host.leave(row);
    return true;
  }

  /** The start of a run is taken up. */
  begins(runId: string): void {
    if (this.unbegun.size > 0) this.unbegun.delete(runId);
  }

  /** A lease is lost, or no start waits for room any more: it is looked anew which runs have begun. */
  forgetUnbegun(): void {
    this.unbegun.clear();
  }

  /** True when loads of the run were counted before it had an event: its first commit has to clear them. */
  wasCounted(runId: string): boolean {
    return this.unborn.size > 0 && this.unborn.delete(runId);
  }

  /** The process lives although it has held these runs for long: none of them is what ended the ones before. */
  async clearSuspicion(): Promise<void> {
    const cleared = onlyLoaded(this.host.residents.values()).filter((runId) => !this.watched.has(runId));
    if (cleared.length > 0) await this.host.deps.store.clearRecoveries(cleared);
  }

  /** The process ends in good order: what it holds has not ended it. */
  async leave(): Promise<void> {
    for (const cancel of this.watched.values()) cancel();
    this.watched.clear();
    await this.takeBack(this.host.residents.values());
  }

  /** The process lives, so far, without these runs: that it had them says nothing, neither for them nor against them. */
  async takeBack(runs: Iterable<ResidentRun>): Promise<void> {
    const loaded = onlyLoaded(runs);
    if (loaded.length > 0) await this.host.deps.store.uncountRecoveries(loaded);
  }

  /** Loads runs until each is in memory, or closed, or no longer ours, whoever else is bringing some of them up. */
  private async loadAll(
    infos: readonly OpenRun[],
    how: 'page' | 'alone' | 'again',
    most?: number,
  ): Promise<void> {
    const { residents, loading, leases } = this.host;
    for (let rest = infos; rest.length > 0 && !this.host.isDraining; ) {
      const again = await this.load(rest, how, most);
      while (again.some(({ runId }) => loading.has(runId))) await this.pause();
      rest = again.filter(({ runId, shard }) => !residents.has(runId) && leases.epoch(shard) !== undefined);
    }
  }

  private pause(ms = LOOK_MS): Promise<void> {
    const { clock } = this.host.deps;
    return new Promise((resolve) => clock.at(clock.now() + ms, resolve));
  }

  /**
   * Replays runs into memory and takes up what they had going. Runs that have no event yet are left to their inbox row;
   * suspects are tried one by one. Gives back those that somebody else is loading (of a run there must never be two
   * copies) and those whose shard was lost while they were read, whether or not it came back.
   *
   * @param most up to which loads are counted: the one that decides has to come after the calm, whoever else counts meanwhile
   */
  private async load(
    infos: readonly OpenRun[],
    how: 'page' | 'row' | 'alone' | 'again',
    most = this.host.deps.maxRecoveries - 1,
  ): Promise<OpenRun[]> {
    const { residents, loading, deps } = this.host;
    const again = how === 'row' ? [] : infos.filter(({ runId }) => loading.has(runId));
    const wanted = infos.filter(
      (info) =>
        !residents.has(info.runId) &&
        !again.includes(info) &&
        !this.isLeft(info.runId) &&
        !(how !== 'alone' && how !== 'again' && info.recoveries >= SUSPECT_AFTER && this.suspect(info)),
    );
    if (wanted.length === 0) return again;
    const ids = wanted.map((info) => info.runId);
    // What is read now is worth something under these epochs only: a shard that was lost and came back has moved on.
    const epochs = new Map(wanted.map(({ shard }) => [shard, this.host.leases.epoch(shard)]));
    if (how !== 'row') for (const id of ids) loading.set(id, []);
    this.underWay.add(wanted);
    try {
      const histories = byRun(await deps.store.readHistories(ids));
      const programs = await deps.programs.all(wanted);
      const counts =
        how === 'row' || how === 'again'
          ? new Map<string, number>()
          : await deps.store.countRecoveries(ids, most);
      const heldSince = ({ shard }: OpenRun) => {
        const epoch = this.host.leases.epoch(shard);
        return epoch === epochs.get(shard) ? epoch : undefined;
      };
      // Lost while they were read: they have been in nobody's memory here, and this process lives.
      const idle = wanted.filter((info) => counts.has(info.runId) && heldSince(info) === undefined);
      if (idle.length > 0) this.host.track(deps.store.uncountRecoveries(idle.map(({ runId }) => runId)));
      for (const info of wanted) {
        const history = histories.get(info.runId);
        const epoch = heldSince(info);
        if (!history) {
          this.unborn.set(info.runId, counts.get(info.runId) ?? 0);
          if (epoch !== undefined) this.unbegun.add(info.runId);
          continue;
        }
        if (epoch === undefined) {
          again.push(info);
          continue;
        }
        const program = programs.get(info.definitionHash);
        const unknown = needsNewer(history) ?? (program ? null : `definition ${info.definitionHash}`);
        if (unknown !== null || !program) {
          this.leaveToNewer(info.runId, unknown ?? '');
          continue;
        }
        if ((counts.get(info.runId) ?? 0) > deps.maxRecoveries) {
          this.host.track(this.deadLetter(info, epoch, history));
          continue;
        }
        try {
          const run = revive(info, epoch, program, history);
          if (run.state?.closedAt !== undefined) continue;
          residents.set(info.runId, run);
          if (run.state)
            for (const command of outstanding(program, run.state))
              carryOut(this.host, run, command, 'inherited');
        } catch (error) {
          // One run that cannot be replayed must not keep the others of its page from being taken over.
          this.host.stumble(info, error);
        }
      }
    } finally {
      this.underWay.delete(wanted);
      if (how !== 'row') for (const id of ids) this.host.handOut(id, residents.get(id) ?? null);
    }
    return again;
  }

  /** Puts a run in the line of suspects; true. Before the load that may be its last it has to wait for a time of calm. */
  private suspect({ runId, shard, recoveries }: OpenRun): true {
    const { leases, deps } = this.host;
    const epoch = leases.epoch(shard);
    const summons = `${runId} ${epoch}`;
    if (this.summoned.has(summons)) return true;
    const goesOn = () => !this.host.isDraining && epoch !== undefined && leases.epoch(shard) === epoch;
    let tries = 0;
    this.summoned.add(summons);
    if (!this.onTrial.has(runId)) this.onTrial.set(runId, null);
    const trial = async () => {
      const isLast = recoveries >= deps.maxRecoveries - 1;
      if (recoveries === deps.maxRecoveries - 1) await this.calm(runId, goesOn);
      await this.quarantine.submit(summons, () =>
        persist(deps, 'try_suspect', goesOn, async () => {
          // A try that failed was counted, perhaps, but ended no process.
          if (tries++ > 0) await deps.store.uncountRecoveries([runId]);
          await this.tryAlone(runId, isLast ? deps.maxRecoveries + 1 : undefined);
        }),
      );
    };
    this.host.track(trial().finally(() => this.acquit(runId, summons)));
    return true;
  }

  /**
   * Holds a run back until the process has shown that it lives without it. Whatever ends processes from outside does so now as
   * well, and then nothing is counted: the next owner begins anew.
   */
  private async calm(runId: string, goesOn: () => boolean): Promise<void> {
    const { clock, calmMs, log } = this.host.deps;
    log.warn('suspect', { status: 'held_back', run_id: runId, duration_ms: calmMs });
    const until = clock.now() + calmMs;
    while (goesOn() && clock.now() < until) await this.pause(Math.min(CALM_LOOK_MS, calmMs));
  }

  /** Loads one suspect and sees whether the process survives it. */
  private async tryAlone(runId: string, most?: number): Promise<void> {
    const { store, clock, surviveMs } = this.host.deps;
    const info = await store.openRun(runId);
    if (!info) return;
    await this.loadAll([info], 'alone', most);
    const begun = clock.now();
    const isFirst = info.recoveries <= SUSPECT_AFTER;
    const spell = isFirst ? surviveMs * FIRST_TRIAL : surviveMs;
    let until = begun + spell;
    if (this.unborn.has(runId) && !(await this.tryStart(info, until))) return;
    const run = this.host.residents.get(runId);
    const isBusy = () => run !== undefined && !run.gone && run.calls + run.pending > 0;
    while (isBusy() && clock.now() < until) {
      // Whoever has the line next may end the process, and this run would be blamed while nothing of it was under way yet.
      if (run !== undefined && hasCallsToMake(run)) until = Math.min(clock.now() + spell, begun + surviveMs);
      await this.pause();
    }
    if (isBusy() && until < begun + surviveMs) this.watch(runId, begun + surviveMs);
    // Whatever became of it, closed, lost or under way for long: this process lives.
    else await store.clearRecoveries([runId]);
  }

  /** The line goes on, but a run that has calls under way is cleared only when it has had as long as any other. */
  private watch(runId: string, until: number): void {
    const { store, clock } = this.host.deps;
    const run = this.host.residents.get(runId);
    const cancel = clock.at(until, () => {
      this.watched.delete(runId);
      if (run?.gone === false) this.host.track(store.clearRecoveries([runId]));
    });
    this.watched.set(runId, cancel);
  }

  /** Carries the start of a suspect out, or gives it up. False when its row did not come, or it was given up. */
  private async tryStart(info: OpenRun, until: number): Promise<boolean> {
    const { runId, shard } = info;
    const { clock, maxRecoveries } = this.host.deps;
    const row = () => this.onTrial.get(runId) ?? null;
    while (row() === null && clock.now() < until && !this.host.isDraining) await this.pause();
    const start = row();
    const epoch = this.host.leases.epoch(shard);
    if (start === null || epoch === undefined) return false;
    this.onTrial.delete(runId);
    if ((this.unborn.get(runId) ?? 0) > maxRecoveries) {
      this.unborn.delete(runId);
      await this.deadLetter(info, epoch, [], start);
      this.unbegun.delete(runId);
      return false;
    }
    this.host.enter(start);
    while (this.host.loading.has(runId)) await this.pause();
    return true;
  }

  /** Its turn is over: a start that nobody has begun goes back. */
  private acquit(runId: string, summons: string): void {
    this.summoned.delete(summons);
    // Its shard came back meanwhile: it stands in the line once more.
    if ([...this.summoned].some((other) => other.startsWith(runId))) return;
    const row = this.onTrial.get(runId);
    this.onTrial.delete(runId);
    if (row) this.host.leave(row);
  }

  private async deadLetter(
    info: OpenRun,
    epoch: number,
    history: readonly StoredEvent[],
    start?: InboxRow,
  ): Promise<void> {
    const { clock, log, maxRecoveries, telemetry, tracing } = this.host.deps;
    const now = clock.now();
    const message = `Given up after ${maxRecoveries} recoveries without progress.`;
    const part = deadLetterPart(info, epoch, history.length, message, now);
    await this.host.commit(start === undefined ? part : withStart(part, start, now));
    const startedAt = history[0]?.at ?? now;
    telemetry.workflowClosed(info.workflow, 'dead_letter', (now - startedAt) / 1000);
    if (tracing !== undefined) traceDeadLetter(tracing, info, history, now);
    log.error('dead_letter', { run_id: info.runId, workflow: info.workflow });
  }
}

/** Runs of which nothing has been written since they were loaded. */
function onlyLoaded(runs: Iterable<ResidentRun>): string[] {
  return [...runs].filter((run) => run.asleep).map((run) => run.info.runId);
}

/** True while a call of the run waits for a place, or for its server to start. */
function hasCallsToMake({ calls, activities }: ResidentRun): boolean {
  return calls > activities.size || [...activities.values()].some((call) => !call.isMade);
}
