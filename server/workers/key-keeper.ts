import type { Clock } from '@/lib/shared/clock';
import type { Log } from '@/server/ports/log';
import type { KeyHolder, Reseal, Rotation, SealState, SealStore } from '@/server/ports/seal-store';

const BATCH = 100;
/** The database takes a process for gone after twelve times as long: one that is merely slow must not be passed over. */
const REPORT_MS = 5_000;

/** The keys of this process, as its adapters see them. */
export interface KeysOfProcess {
  /** Reads them anew: a file may have come. */
  refresh(): void;
  ids(): string[];
  /** The key that is sealed under. */
  sealsUnder(): string;
  /** Seals in this way from now on. */
  use(state: SealState): void;
  /** The rotation to this key is over: makes it the one that the process starts with. */
  settle(keyId: string): void;
  reseal: Reseal;
}

export interface KeyKeeperDeps {
  store: SealStore;
  keys: KeysOfProcess;
  process: { id: string; host: string; pid: number };
  /** False for a process of this host that has ended without saying so. */
  isAlive: (pid: number) => boolean;
  organizations: () => Promise<string[]>;
  /** The organisation in whose audit log a rotation's end is written. */
  auditIn: string;
  clock: Clock;
  log: Log;
  everyMs: number;
}

/**
 * In every process: tells the others which keys it has, learns which one to seal under, and takes part in a rotation. All of
 * a rotation's state is in the database, so whichever process is there goes on where another one stopped.
 */
export class KeyKeeper {
  private cancel: () => void = () => {};
  private stopped = false;
  private reported = { text: '', at: 0 };
  private round: Promise<void> = Promise.resolve();

  constructor(private readonly deps: KeyKeeperDeps) {}

  start(): void {
    this.next();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.round;
    await this.deps.store.forget(this.deps.process.id).catch(() => undefined);
  }

  /** Takes the keys and the state as they are now. */
  async refresh(): Promise<SealState> {
    const { store, keys } = this.deps;
    const state = await store.read();
    const { rotation, activeKey } = state;
    // Before anything newer is read: a next rotation may have begun.
    if (rotation === null || rotation.phase === 'done' || rotation.to !== activeKey) keys.settle(activeKey);
    keys.refresh();
    keys.use(state);
    await this.report();
    return state;
  }

  /** Tells the others what this process has: at once when that has changed, else now and then. */
  private async report(): Promise<void> {
    const { store, keys, process, clock } = this.deps;
    const { id: processId, host, pid } = process;
    const holder = { processId, host, pid, keys: keys.ids(), activeKey: keys.sealsUnder() };
    const text = JSON.stringify(holder);
    if (this.reported.text === text && clock.now() - this.reported.at < REPORT_MS) return;
    await store.report(holder);
    this.reported = { text, at: clock.now() };
  }

  /** Processes that are there, as far as anybody knows. */
  async holders(): Promise<KeyHolder[]> {
    const { store, process, isAlive } = this.deps;
    const holders = await store.holders();
    const dead = holders.filter(({ host, pid }) => host === process.host && !isAlive(pid));
    for (const { processId } of dead) await store.forget(processId);
    return holders.filter((holder) => !dead.includes(holder));
  }

  private next(): void {
    const { clock, everyMs } = this.deps;
    this.cancel = clock.at(clock.now() + everyMs, () => {
      this.round = this.look().finally(() => {
        if (!this.stopped) this.next();
      });
    });
  }

  private async look(): Promise<void> {
    try {
      const { rotation } = await this.refresh();
      if (rotation !== null && rotation.phase !== 'done') await this.advance(rotation);
    } catch (error) {
      this.deps.log.warn('key_rotation', { status: 'failed', error: String(error) });
    }
  }

  private async advance(rotation: Rotation): Promise<void> {
    const { store, keys, log } = this.deps;
    const { from, to } = rotation;
    const has = new Set(keys.ids());
    if (!has.has(from) || !has.has(to)) return;
    if (rotation.phase === 'preparing') {
      if ((await this.holders()).some((holder) => !holder.keys.includes(to))) return;
      await store.activate(to);
      await this.refresh();
      log.info('key_rotation', { status: 'begun', from, to });
    }
    const organizations = await this.deps.organizations();
    if (rotation.total === null) await store.setTotal(await store.count(organizations, from));
    let unreadable = 0;
    for (const organizationId of organizations) {
      for (let place = 0; place < store.places; place++) {
        const bad = await this.pass(organizationId, place, from);
        if (bad === null) return;
        unreadable += bad;
      }
    }
    await store.resealIdentity(from, keys.reseal);
    await this.holders();
    const { organizations: all, auditIn } = this.deps;
    if (!(await store.finish(all, unreadable, auditIn))) return;
    await this.refresh();
    log.info('key_rotation', { status: 'success', from, to, unreadable });
  }

  /** Everything of one place. The number of values that could not be opened; null when it is not for us to go on. */
  private async pass(organizationId: string, place: number, from: string): Promise<number | null> {
    const { store, keys } = this.deps;
    let unreadable = 0;
    let after: string[] | null = [];
    while (after !== null) {
      if (this.stopped) return null;
      const batch = await store.reseal(organizationId, { place, from, after, limit: BATCH }, keys.reseal);
      if (batch === null) return null;
      unreadable += batch.unreadable;
      after = batch.last;
    }
    return unreadable;
  }
}
