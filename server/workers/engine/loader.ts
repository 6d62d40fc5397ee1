import { outstanding } from '@/lib/engine/step';
import type { Clock } from '@/lib/shared/clock';
import type { CommitPart, ExecutionStore, InboxRow, OpenRun } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import type { CommitVerdict } from '@/server/workers/engine/committer';
import { carryOut, type EffectsHost } from '@/server/workers/engine/effects';
import type { Programs } from '@/server/workers/engine/programs';
import { Quarantine } from '@/server/workers/engine/quarantine';
import { byRun, deadLetterPart, persist, revive } from '@/server/workers/engine/recovery';
import type { ResidentRun } from '@/server/workers/engine/resident-run';

/** What loading runs needs of the host. */
export interface LoaderHost extends EffectsHost {
  readonly deps: EffectsHost['deps'] & {
    readonly store: ExecutionStore;
    readonly programs: Programs;
    readonly clock: Clock;
    readonly log: Log;
    readonly maxRecoveries: number;
    readonly surviveMs: number;
  };
  readonly leases: EffectsHost['leases'] & { epoch(shard: number): number | undefined };
  readonly residents: Map<string, ResidentRun>;
  /** Inbox rows of runs that are being made resident. */
  readonly loading: Map<string, InboxRow[]>;
  /** Hands those rows to what became of the run. */
  handOut(runId: string, run: ResidentRun | 'closed' | null): void;
  commit(part: CommitPart): Promise<CommitVerdict>;
}

const PAGE = 500;
/** Loads by new owners, without progress, after which a run is under suspicion of ending the process. */
const SUSPECT_AFTER = 2;
/** Longest a suspect has the line for itself. */
const TRIAL_MS = 5_000;
const LOOK_MS = 5;

/** Brings runs back into memory: all that are due in shards that were taken over, or the one that a command is for. */
export class RunLoader {
  private readonly quarantine = new Quarantine();

  constructor(private readonly host: LoaderHost) {}

  /** Loads the runs of the shards that must be in memory after `after` and until `until`; gives their number. */
  async loadDue(shards: readonly number[], after: number | null, until: number): Promise<number> {
    let loaded = 0;
    let cursor: { after: number | null; afterRunId: string | null } = { after, afterRunId: null };
    for (;;) {
      const page = await this.host.deps.store.dueRuns(shards, { ...cursor, until }, PAGE);
      await this.loadAll(page, 'page');
      loaded += page.length;
      const last = page.at(-1);
      if (!last || page.length < PAGE) return loaded;
      cursor = { after: last.wakeAt, afterRunId: last.runId };
    }
  }

  /** Loads the run of an inbox row, whose rows are in `loading` already. */
  async loadForRow(info: OpenRun): Promise<void> {
    await this.load([info], 'row');
  }

  /** The process lives although it holds these runs: none of them is what ended the ones before. */
  async clearSuspicion(): Promise<void> {
    const { residents, deps } = this.host;
    const loaded = [...residents.values()].filter((run) => run.asleep).map((run) => run.info.runId);
    if (loaded.length > 0) await deps.store.clearRecoveries(loaded);
  }

  /** Loads runs until each is in memory, or closed, or no longer ours, whoever else is bringing some of them up. */
  private async loadAll(infos: readonly OpenRun[], how: 'page' | 'alone'): Promise<void> {
    const { residents, loading, leases } = this.host;
    for (let rest = infos; rest.length > 0 && !this.host.isDraining; ) {
      const again = await this.load(rest, how);
      while (again.some(({ runId }) => loading.has(runId))) await this.pause();
      rest = again.filter(({ runId, shard }) => !residents.has(runId) && leases.epoch(shard) !== undefined);
    }
  }

  private pause(): Promise<void> {
    const { clock } = this.host.deps;
    return new Promise((resolve) => clock.at(clock.now() + LOOK_MS, resolve));
  }

  /**
   * Replays runs into memory and takes up what they had going. Runs that have no event yet are left to their inbox row;
   * suspects are tried one by one. Gives back those that somebody else is loading (of a run there must never be two
   * copies) and those whose shard was lost and came back while they were read.
   */
  private async load(infos: readonly OpenRun[], how: 'page' | 'row' | 'alone'): Promise<OpenRun[]> {
    const { residents, loading, deps } = this.host;
    const again = how === 'row' ? [] : infos.filter(({ runId }) => loading.has(runId));
    const wanted = infos.filter(
      (info) =>
        !residents.has(info.runId) &&
        !again.includes(info) &&
        !(how !== 'alone' && info.recoveries >= SUSPECT_AFTER && this.suspect(info)),
    );
    if (wanted.length === 0) return again;
    const ids = wanted.map((info) => info.runId);
    // What is read now is worth something under these epochs only: a shard that was lost and came back has moved on.
    const epochs = new Map(wanted.map(({ shard }) => [shard, this.host.leases.epoch(shard)]));
    if (how !== 'row') for (const id of ids) loading.set(id, []);
    try {
      const histories = byRun(await deps.store.readHistories(ids));
      const programs = await deps.programs.all(wanted);
      const counts = how === 'row' ? new Map<string, number>() : await deps.store.countRecoveries(ids);
      for (const info of wanted) {
        const history = histories.get(info.runId);
        const epoch = this.host.leases.epoch(info.shard);
        if (!history || epoch === undefined) continue;
        if (epoch !== epochs.get(info.shard)) {
          again.push(info);
          continue;
        }
        if ((counts.get(info.runId) ?? 0) > deps.maxRecoveries) {
          this.host.track(this.deadLetter(info, epoch, history.length));
          continue;
        }
        try {
          const program = programs.get(info.definitionHash);
          if (!program) throw new Error(`Its definition ${info.definitionHash} cannot be used.`);
          const run = revive(info, epoch, program, history);
          if (run.state?.closedAt !== undefined) continue;
          residents.set(info.runId, run);
          if (run.state)
            for (const command of outstanding(program, run.state)) carryOut(this.host, run, command);
        } catch (error) {
          // One run that cannot be replayed must not keep the others of its page from being taken over.
          deps.log.error('load_run', { run_id: info.runId, error: String((error as Error).stack ?? error) });
        }
      }
    } finally {
      if (how !== 'row') for (const id of ids) this.host.handOut(id, residents.get(id) ?? null);
    }
    return again;
  }

  /** Puts a run in the line of suspects; true. */
  private suspect({ runId, shard }: OpenRun): true {
    const { leases, deps } = this.host;
    const epoch = leases.epoch(shard);
    const goesOn = () => !this.host.isDraining && epoch !== undefined && leases.epoch(shard) === epoch;
    let tries = 0;
    const trial = this.quarantine.submit(`${runId} ${epoch}`, () =>
      persist(deps, 'try_suspect', goesOn, async () => {
        // A try that failed was counted, perhaps, but ended no process.
        if (tries++ > 0) await deps.store.clearRecoveries([runId]);
        await this.tryAlone(runId);
      }),
    );
    if (trial) this.host.track(trial);
    return true;
  }

  /** Loads one suspect and sees whether the process survives it. */
  private async tryAlone(runId: string): Promise<void> {
    const { store, clock, surviveMs } = this.host.deps;
    const info = await store.openRun(runId);
    if (!info) return;
    await this.loadAll([info], 'alone');
    const run = this.host.residents.get(runId);
    const until = clock.now() + Math.min(surviveMs, TRIAL_MS);
    while (run && !run.gone && run.calls + run.pending > 0 && clock.now() < until) await this.pause();
    // Whatever became of it, closed, lost or under way: this process lives.
    await store.clearRecoveries([runId]);
  }

  private async deadLetter(info: OpenRun, epoch: number, length: number): Promise<void> {
    const { clock, log, maxRecoveries } = this.host.deps;
    await this.host.commit(deadLetterPart(info, epoch, length, maxRecoveries, clock.now()));
    log.error('dead_letter', { run_id: info.runId, workflow: info.workflow });
  }
}
