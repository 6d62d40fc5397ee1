import type { Command } from '@/lib/engine/commands';
import { createRun, step } from '@/lib/engine/step';
import type { EngineEvent, StartedEvent, Transition } from '@/lib/engine/types';
import type { RunStatus } from '@/lib/protocol/run';
import type { CommitPart, InboxRow, OpenRun } from '@/server/ports/execution-store';
import type { Lease } from '@/server/ports/lease-store';
import { answerClosed } from '@/server/workers/engine/children';
import { Committer, type CommitVerdict, type Delivery } from '@/server/workers/engine/committer';
import { crashPoint } from '@/server/workers/engine/crash-points';
import { letEnd } from '@/server/workers/engine/drain';
import { giveBack, type KeptCalls, startEagerly, takeOut } from '@/server/workers/engine/eager-start';
import { carryOut } from '@/server/workers/engine/effects';
import {
  type EngineHostDeps,
  INBOX_CHANNEL,
  type InboxHint,
  OUTBOX_CHANNEL,
  type OutboxHint,
} from '@/server/workers/engine/host-deps';
import { Inbox } from '@/server/workers/engine/inbox';
import { LeaseManager } from '@/server/workers/engine/leases';
import { RunLoader } from '@/server/workers/engine/loader';
import { needsNewer } from '@/server/workers/engine/newer';
import { openRunOf } from '@/server/workers/engine/parts';
import { inTurn, preparePart } from '@/server/workers/engine/prepare-part';
import { Pressure } from '@/server/workers/engine/pressure';
import { ReadyQueue } from '@/server/workers/engine/ready-queue';
import { persist } from '@/server/workers/engine/recovery';
import { newResidentRun, type ResidentRun } from '@/server/workers/engine/resident-run';
import { inMemory, sleepSome, WAKE_HORIZON_MS } from '@/server/workers/engine/sleep';
import { Stumbles } from '@/server/workers/engine/stumbles';
import { traceClose } from '@/server/workers/engine/traced-attempt';

/**
 * The Postgres host of the pure engine: owns shards by lease, keeps their runs in memory, feeds facts into `step`,
 * commits what comes out and only then carries out its commands.
 */
export class EngineHost {
  readonly leases: LeaseManager;
  readonly ready: ReadyQueue;
  readonly pressure: Pressure;
  private readonly committer: Committer;
  readonly loader = new RunLoader(this);
  private readonly stumbles = new Stumbles(this);
  readonly residents = new Map<string, ResidentRun>();
  /** Inbox rows of runs that are being made resident. */
  readonly loading = new Map<string, InboxRow[]>();
  private readonly inbox: Inbox;
  private readonly waiters = new Map<string, ((status: RunStatus) => void)[]>();
  private readonly work = new Set<Promise<unknown>>();
  /** Timers after which the runs of a take-over are no longer suspected of ending processes. */
  private readonly suspicion: (() => void)[] = [];
  /** Until when runs that sleep have been loaded. */
  wokenUntil = 0;
  private cancelPoll: (() => void) | null = null;
  private unsubscribe: (() => void) | null = null;
  private draining = false;

  constructor(readonly deps: EngineHostDeps) {
    const { process, store, clock, log, telemetry } = deps;
    this.ready = new ReadyQueue(deps.maxActivities);
    this.pressure = new Pressure(deps.maxPressure, () => this.track(this.readInbox()));
    this.inbox = new Inbox(deps.store);
    this.committer = new Committer({ owner: process.id, store, clock, log, telemetry });
    this.leases = new LeaseManager({
      store: deps.leases,
      clock,
      log,
      process,
      shards: deps.shards,
      ttlMs: deps.leaseTtlMs,
      isAlive: deps.isAlive,
      onDatabaseTime: (now, half) => clock.adjust(now, half),
      onAcquired: (leases) => this.track(this.takeOver(leases)),
      onLost: (shards) => this.dropShards(new Set(shards)),
    });
    telemetry.gauge('conductor_task_queue_depth', () => this.ready.depth + this.activityCount());
    telemetry.gauge('conductor_resident_runs', () => this.residents.size);
    telemetry.gauge('conductor_resident_bytes', () => inMemory(this.residents.values()).bytes);
    telemetry.gauge('conductor_held_shards', () => this.leases.fresh().length);
    telemetry.gauge('conductor_pending_timers', () => {
      let timers = 0;
      for (const run of this.residents.values()) timers += run.timers.size;
      return timers;
    });
  }

  async start(): Promise<void> {
    this.wokenUntil = this.deps.clock.now() + WAKE_HORIZON_MS;
    this.unsubscribe = this.deps.bus.subscribe(INBOX_CHANNEL, (message, from) => {
      if (from === 'here') this.receive(message as InboxRow);
      else if (this.leases.epoch((message as InboxHint).shard) !== undefined)
        this.track(this.inbox.hurried(() => this.readInbox()));
    });
    await this.leases.start();
    this.schedulePoll();
  }

  /**
   * Graceful stop: nothing new is taken, running activities may end within `timeoutMs`, each shard is given back as soon as
   * nothing is under way on it; then the rest is left for the next owner.
   */
  async drain(timeoutMs: number): Promise<void> {
    this.draining = true;
    this.unsubscribe?.();
    this.cancelPoll?.();
    await letEnd(this, this.work, timeoutMs);
    for (const cancel of this.suspicion) cancel();
    await this.loader.leave().catch(() => {});
    this.committer.stop();
    for (const run of [...this.residents.values()]) this.drop(run);
    await this.leases.stop();
  }

  /** Resolves with the status once the run has closed in this process. */
  closed(runId: string): Promise<RunStatus> {
    return new Promise((resolve) => {
      const list = this.waiters.get(runId) ?? [];
      list.push(resolve);
      this.waiters.set(runId, list);
    });
  }

  /** Number of calls under way, over all runs. */
  activityCount(): number {
    let count = 0;
    for (const run of this.residents.values()) count += run.activities.size;
    return count;
  }

  /** Runs in memory. */
  residentCount(): number {
    return this.residents.size;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /**
   * Takes an inbox row: from the acceptor in this process, or from polling. Rows of other owners are left
   * alone. False when there is no room for a new run now, or nothing is begun any more: the row waits in the table.
   */
  receive(row: InboxRow): boolean {
    if (this.draining) return false;
    if (this.leases.epoch(row.shard) === undefined || !this.inbox.take(row.id)) return true;
    if (this.loader.holds(row)) return true;
    if (row.eventType === 'WORKFLOW_EXECUTION_STARTED' && !this.pressure.admits(row.organizationId)) {
      this.inbox.leave(row.id);
      return false;
    }
    this.enter(row);
    return true;
  }

  /** Hands a row that is in hand to its run, which is loaded first where it has to be. */
  enter(row: InboxRow): void {
    this.pressure.add(row.organizationId);
    if (row.eventType === 'WORKFLOW_EXECUTION_STARTED') this.loader.begins(row.runId);
    const resident = this.residents.get(row.runId);
    const loading = this.loading.get(row.runId);
    if (loading) loading.push(row);
    else if (resident) this.handle(row, resident);
    else {
      const rows = [row];
      this.loading.set(row.runId, rows);
      this.track(this.bringUp(row.runId, rows));
    }
  }

  /** Puts a row back in the table: polling brings it again. */
  leave(row: InboxRow): void {
    this.inbox.leave(row.id);
  }

  /** The engine cannot go on with a run. */
  stumble(info: OpenRun, error: unknown): void {
    this.stumbles.note(info, null, error);
  }

  /** Loads a run anew, if it is not in memory. */
  reload(info: OpenRun): Promise<void> {
    return this.loader.reload(info);
  }

  /** Tells who waits for the end of a run. */
  ended(runId: string, status: RunStatus): void {
    this.stumbles.forget(runId);
    for (const resolve of this.waiters.get(runId) ?? []) resolve(status);
    this.waiters.delete(runId);
  }

  /** Makes a part durable that no resident run made. */
  commit(part: CommitPart): Promise<CommitVerdict> {
    return this.committer.submit(part);
  }

  /**
   * Feeds one fact into a run. Resolves when what follows from it is durable (or the run was lost); `ignored` when nothing
   * follows from it, because the run has moved on and the fact does not fit any more.
   */
  async deliver(run: ResidentRun, event: EngineEvent, inboxId?: number): Promise<Delivery> {
    if (run.gone || run.state === null) return 'fenced';
    const { state } = run;
    return this.decided(run, null, () => this.advance(run, step(run.program, state, event), inboxId));
  }

  /** What `work` gives; when it throws, the engine has failed on this run, and what is in memory of it cannot be trusted. */
  private async decided(
    run: ResidentRun,
    start: InboxRow | null,
    work: () => Promise<Delivery>,
  ): Promise<Delivery> {
    try {
      return await work();
    } catch (error) {
      if (run.gone) return 'fenced';
      this.drop(run);
      this.stumbles.note(run.info, run, error, start);
      return 'rejected';
    }
  }

  /** Keeps a promise from being lost sight of while draining. */
  track<T>(promise: Promise<T>): void {
    const settled = promise.catch((error: unknown) => {
      this.deps.log.error('engine_host', {
        status: 'failed',
        error: error instanceof Error ? error.stack : String(error),
      });
    });
    this.work.add(settled);
    void settled.finally(() => this.work.delete(settled));
  }

  /**
   * Makes the run of these rows resident, then hands it the rows in their order. More rows may join while it loads.
   * Rows of a run that cannot be had now are left in the table: polling brings them again.
   */
  private async bringUp(runId: string, rows: InboxRow[]): Promise<void> {
    let run: ResidentRun | 'closed' | null = null;
    try {
      const start = rows.find((row) => row.eventType === 'WORKFLOW_EXECUTION_STARTED');
      run = start ? await this.create(start) : await this.wake(runId);
    } finally {
      this.handOut(runId, run);
    }
  }

  /** Hands the rows that came while a run was being loaded to what became of it. */
  handOut(runId: string, run: ResidentRun | 'closed' | null): void {
    const rows = this.loading.get(runId) ?? [];
    this.loading.delete(runId);
    for (const row of rows.sort((a, b) => a.id - b.id)) {
      if (run && run !== 'closed') {
        this.handle(row, run);
        continue;
      }
      this.pressure.remove(row.organizationId);
      if (run === 'closed') this.finishInbox(row);
      else if (!this.loader.isLeft(runId)) this.inbox.leave(row.id);
    }
  }

  private async create(row: InboxRow): Promise<ResidentRun | 'closed' | null> {
    const { data } = row;
    const epoch = this.leases.epoch(row.shard);
    // Everything about a run without a parent is in its first event; a child also needs its parent's shard.
    const info = data.parent
      ? await this.deps.store.openRun(row.runId)
      : openRunOf(row, this.deps.clock.now());
    if (!info) return 'closed';
    const unknown = needsNewer([{ type: row.eventType, data }]);
    if (unknown !== null) {
      this.loader.leaveToNewer(row.runId, unknown);
      return null;
    }
    const programs = await this.deps.programs.all([info]);
    const program = programs.get(info.definitionHash);
    if (!program) {
      this.loader.leaveToNewer(row.runId, `definition ${info.definitionHash}`);
      return null;
    }
    // A shard that was lost meanwhile may have come back with the run begun: the table knows whether the row is still there.
    if (epoch === undefined || this.leases.epoch(row.shard) !== epoch) return null;
    const run = newResidentRun(info, epoch, program);
    run.asleep = this.loader.wasCounted(row.runId);
    this.residents.set(row.runId, run);
    return run;
  }

  private async wake(runId: string): Promise<ResidentRun | 'closed' | null> {
    const info = await this.deps.store.openRun(runId);
    if (!info) return 'closed';
    await this.loader.loadForRow(info);
    // Still absent: its start has not been taken up yet, or the shard was lost meanwhile.
    return this.residents.get(runId) ?? null;
  }

  private handle(row: InboxRow, run: ResidentRun): void {
    // Counted from here on by the commit that follows.
    this.pressure.remove(row.organizationId);
    const event = {
      type: row.eventType,
      at: this.deps.clock.now(),
      data: row.data,
    } as unknown as EngineEvent;
    if (run.gone || run.state?.closedAt !== undefined) {
      // Closed or lost in this very moment: polling finds out which.
      this.inbox.leave(row.id);
    } else if (run.state !== null) {
      run.inbox.add(row.id);
      this.track(this.deliver(run, event, row.id));
    } else if (event.type === 'WORKFLOW_EXECUTION_STARTED') {
      run.inbox.add(row.id);
      this.deps.telemetry.workflowCreated(run.info.workflow);
      this.track(
        this.decided(run, row, () =>
          this.advance(run, createRun(run.program, event as StartedEvent), row.id),
        ),
      );
    } else {
      this.inbox.leave(row.id);
    }
  }

  /** A command to a run that is closed or gone: its row has to go, see `answerClosed`. */
  private finishInbox(row: InboxRow): void {
    const epoch = this.leases.epoch(row.shard);
    if (epoch === undefined) {
      this.inbox.leave(row.id);
      return;
    }
    const answer = answerClosed(this.deps.store, row, epoch).then((part) => this.committer.submit(part));
    this.track(answer.finally(() => this.inbox.answered(row.id)));
  }

  private async advance(run: ResidentRun, decided: Transition, inboxId?: number): Promise<Delivery> {
    run.state = decided.state;
    if (decided.events.length === 0 && inboxId === undefined) return 'ignored';
    const { organizationId } = run.info;
    const { transition, kept } = startEagerly(this, run, decided);
    try {
      const now = this.deps.clock.now();
      const { part, ready } = preparePart(this.deps.children, run, transition, inboxId, now);
      run.pending++;
      try {
        if (ready !== null || run.gate !== null) await inTurn(run, ready);
      } catch (error) {
        run.pending--;
        throw error;
      }
      this.pressure.add(organizationId);
      const verdict = await this.committer.submit(part);
      this.pressure.remove(organizationId);
      run.pending--;
      this.settle(run, part, transition.commands, verdict, kept);
      return verdict;
    } finally {
      giveBack(kept);
    }
  }

  private settle(
    run: ResidentRun,
    part: CommitPart,
    commands: readonly Command[],
    verdict: CommitVerdict,
    kept: KeptCalls | undefined,
  ): void {
    for (const id of part.inboxDone) {
      // A run that was lost has put its rows back; one that it did not answer may be in hand again, for the next copy.
      if (verdict === 'written' || !run.gone) this.inbox.answered(id);
      run.inbox.delete(id);
    }
    if (verdict === 'fenced') {
      this.deps.telemetry.fenced(1);
      this.deps.log.warn('commit', {
        status: 'fenced',
        run_id: run.info.runId,
        shard: part.shard,
        epoch: part.epoch,
      });
      if (this.leases.epoch(part.shard) === part.epoch) this.leases.lose([part.shard]);
      this.drop(run);
      return;
    }
    if (verdict === 'rejected') {
      if (run.gone) return;
      this.drop(run);
      this.stumbles.note(run.info, run, new Error('The database refused what the run wrote.'));
      return;
    }
    crashPoint('after-commit-before-publish');
    this.stumbles.written(part);
    if (part.events.length > 0)
      this.deps.bus.publish(OUTBOX_CHANNEL, {
        organizationId: part.organizationId,
        runId: part.runId,
      } satisfies OutboxHint);
    for (const row of part.inboxAdds) this.deps.log.debug('notify_parent', { run_id: row.runId });
    if (run.gone) return;
    for (const command of commands) {
      if (command.type === 'CLOSE_RUN') this.close(run, command.status);
      else carryOut(this, run, command, takeOut(kept, command));
    }
  }

  private close(run: ResidentRun, status: RunStatus): void {
    const seconds = ((run.state?.closedAt ?? 0) - (run.state?.startedAt ?? 0)) / 1000;
    this.deps.telemetry.workflowClosed(run.info.workflow, status, seconds);
    if (this.deps.tracing !== undefined && run.state !== null)
      traceClose(this.deps.tracing, run.state, status);
    this.drop(run);
    this.ended(run.info.runId, status);
  }

  /** Forgets a run: timers stopped, calls aborted, late results ignored. */
  drop(run: ResidentRun): void {
    if (run.gone) return;
    run.gone = true;
    this.residents.delete(run.info.runId);
    for (const cancel of run.timers.values()) cancel();
    for (const controller of run.activities.values()) controller.abort('dropped');
    for (const id of run.inbox) this.inbox.leave(id);
    run.timers.clear();
    run.activities.clear();
  }

  private dropShards(shards: ReadonlySet<number>): void {
    const runs = [...this.residents.values()].filter((run) => shards.has(run.info.shard));
    this.track(this.loader.takeBack(runs));
    for (const run of runs) this.drop(run);
    this.loader.forgetUnbegun();
    this.deps.log.warn('shards_lost', { shards: shards.size, runs: runs.length });
  }

  private async takeOver(leases: readonly Lease[]): Promise<void> {
    const begun = this.deps.clock.now();
    const { clock, surviveMs } = this.deps;
    const held = () =>
      leases.filter((lease) => this.leases.epoch(lease.shard) === lease.epoch).map(({ shard }) => shard);
    // Shards that are held but not loaded would be nobody's: it goes on until it is done, or they are lost.
    const goesOn = () => !this.draining && held().length > 0;
    const loaded = await persist(this.deps, 'take_over', goesOn, async () => {
      const count = await this.loader.loadDue(held(), null, this.wokenUntil);
      await this.inbox.read(held(), (row) => this.receive(row));
      return count;
    });
    if (loaded === null) return;
    this.deps.telemetry.tookOver(leases.length);
    if (loaded > 0)
      this.suspicion.push(clock.at(clock.now() + surviveMs, () => this.track(this.loader.clearSuspicion())));
    const seconds = (clock.now() - begun) / 1000;
    if (loaded > 0) this.deps.telemetry.recovered(loaded, seconds);
    this.deps.log.info('shards_acquired', {
      shards: leases.length,
      runs: loaded,
      duration_ms: Math.round(seconds * 1000),
    });
  }

  private schedulePoll(): void {
    if (this.draining) return;
    this.cancelPoll = this.deps.clock.at(this.deps.clock.now() + this.deps.pollMs, () => {
      const round = this.poll().finally(() => this.schedulePoll());
      this.track(round);
    });
  }

  /** Polling is the truth that wake-up hints only hurry: missed inbox rows, and sleeping runs whose time comes. */
  private async poll(): Promise<void> {
    if (this.leases.held().length === 0) return;
    await this.readInbox();
    // Shards may have come meanwhile: a take-over loads only what is due until now.
    const shards = this.leases.held();
    const until = this.deps.clock.now() + WAKE_HORIZON_MS;
    if (until > this.wokenUntil) {
      const from = this.wokenUntil;
      this.wokenUntil = until;
      try {
        await this.loader.loadDue(shards, from, until);
      } catch (error) {
        // The next round looks at this span of time again.
        this.wokenUntil = from;
        throw error;
      }
    }
    await sleepSome(this);
  }

  private async readInbox(): Promise<void> {
    if (this.draining) return;
    // Where no start waits for room, whatever was left is tried again.
    if (await this.inbox.read(this.leases.held(), (row) => this.receive(row))) this.loader.forgetUnbegun();
  }
}
