import type { FaultyPostgres } from '@/tests/faults/database';
import type { FaultLog } from '@/tests/faults/fault-log';
import type { Fleet, Slot } from '@/tests/faults/fleet';
import type { Random } from '@/tests/simulation/random';

export interface NemesisDeps {
  postgres: FaultyPostgres;
  fleet: Fleet;
  random: Random;
  faults: FaultLog;
  mayStrike: (fault: string) => boolean;
}

/** Says what it did; null when there was nothing to strike. */
type Strike = (deps: NemesisDeps, slot: Slot) => Promise<string | null>;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const OURS = `usename IN ('oc_engine', 'oc_app', 'oc_auth') AND datname = current_database()`;

/** Statements whose answers may get lost, by what their message holds. */
const ANSWERS = [
  'oc_commit',
  'oc_commit',
  'oc_commit',
  'oc_accept',
  'oc_heartbeat',
  'UPDATE workflow_shard',
  'oc_inbox',
];

/** Faults of single processes. */
const PROCESS_FAULTS: Record<string, Strike> = {
  'kill -9': async ({ fleet }, slot) => {
    fleet.kill(slot, 'kill -9');
    return slot.name;
  },
  'SIGSTOP past the lease': async ({ random, faults }, slot) => {
    const ms = 1_200 + random.below(2_000);
    const { engine } = slot;
    slot.stopped = true;
    const from = Date.now();
    engine?.signal('SIGSTOP');
    await pause(ms);
    if (engine?.child.pid !== undefined) faults.sleeps.push({ pid: engine.child.pid, from, to: Date.now() });
    engine?.signal('SIGCONT');
    slot.stopped = false;
    return `${slot.name} ${ms} ms`;
  },
  'drain (SIGTERM)': async ({ fleet }, slot) => {
    const code = await fleet.drain(slot);
    return `${slot.name}, exit code ${code}`;
  },
  'lost answers': async ({ random }, slot) => {
    const needle = random.pick(ANSWERS);
    const before = slot.proxy.lost;
    slot.proxy.loseAnswers(1 + random.below(6), needle);
    await pause(300 + random.below(1_200));
    slot.proxy.heal();
    const lost = slot.proxy.lost - before;
    return lost === 0 ? null : `${slot.name} ${needle} × ${lost}`;
  },
  'connections cut': async (_deps, slot) => {
    slot.proxy.cutAll();
    return slot.name;
  },
  'partition from Postgres': async ({ random }, slot) => {
    const ms = 500 + random.below(2_500);
    slot.proxy.hang();
    await pause(ms);
    if (random.chance(0.5)) slot.proxy.cutAll();
    slot.proxy.heal();
    return `${slot.name} ${ms} ms`;
  },
};

/** How many it hit, by Postgres' own log. */
const told = (times: number, what: string) => (times === 0 ? null : `${times} ${what}`);

/** Faults of the database. */
const DATABASE_FAULTS: Record<string, Strike> = {
  'pg_terminate_backend storm': async ({ postgres, random }) => {
    const rounds = 2 + random.below(6);
    for (let i = 0; i < rounds; i++) {
      await postgres.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS} AND random() < 0.7`,
      );
      await pause(20 + random.below(150));
    }
    return `${rounds} rounds`;
  },
  'pg_cancel_backend storm': async ({ postgres, random }) => {
    const client = await postgres.connect();
    const before = postgres.errors('57014');
    try {
      for (let i = 0; i < 60; i++) {
        await client.query(
          `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE ${OURS} AND state = 'active'`,
        );
        await pause(random.below(10));
      }
    } finally {
      await client.end().catch(() => undefined);
    }
    return told(postgres.errors('57014') - before, 'statements');
  },
  'Postgres restart': async ({ postgres, random }) => {
    await postgres.stop();
    const ms = random.below(1_500);
    await pause(ms);
    await postgres.launch();
    return `down ${ms} ms`;
  },
  'Postgres kill -9': async ({ postgres, random }) => {
    await postgres.kill();
    await pause(random.below(500));
    await postgres.launch();
    return '';
  },
  'backend kill -9': async ({ postgres }) => {
    const [backend] = await postgres.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE ${OURS} ORDER BY random() LIMIT 1`,
    );
    if (backend === undefined) return null;
    process.kill(backend.pid, 'SIGKILL');
    return `backend ${backend.pid}`;
  },
  'connections exhausted': async ({ postgres, random }) => {
    const clients = [];
    try {
      for (;;) clients.push(await postgres.connect());
    } catch {
      // None is left: that was the aim.
    }
    try {
      await clients[0]?.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS} AND random() < 0.5`,
      );
      await pause(500 + random.below(1_500));
    } finally {
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    }
    return `${clients.length} taken`;
  },
  'idle transaction holding xmin': async ({ postgres, random }) => {
    const client = await postgres.connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await client.query('SELECT count(*) FROM workflow_shard');
      await pause(2_000 + random.below(3_000));
      await client.query('ROLLBACK');
    } finally {
      await client.end().catch(() => undefined);
    }
    return '';
  },
  'table locked': async ({ postgres, random }) => {
    const table = random.pick(['workflow_run', 'workflow_shard', 'workflow_inbox', 'event_outbox']);
    const client = await postgres.connect();
    const ms = 300 + random.below(1_700);
    try {
      await client.query('BEGIN');
      await client.query(`LOCK TABLE ${table} IN EXCLUSIVE MODE`);
      await pause(ms);
      await client.query('ROLLBACK');
    } finally {
      await client.end().catch(() => undefined);
    }
    return `${table} ${ms} ms`;
  },
  'lock timeouts': async ({ postgres, random }) => {
    const client = await postgres.connect();
    const before = postgres.errors('55P03');
    try {
      await client.query(`ALTER ROLE oc_engine SET lock_timeout = '15ms'`);
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'oc_engine'`,
      );
      for (let i = 0; i < 8; i++) {
        await client.query('BEGIN');
        await client.query(
          `LOCK TABLE ${random.pick(['workflow_run', 'workflow_shard', 'workflow_inbox'])} IN EXCLUSIVE MODE`,
        );
        await pause(40 + random.below(60));
        await client.query('ROLLBACK');
        await pause(random.below(100));
      }
    } finally {
      await client.query('ALTER ROLE oc_engine RESET lock_timeout').catch(() => undefined);
      await client
        .query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'oc_engine'`)
        .catch(() => undefined);
      await client.end().catch(() => undefined);
    }
    return told(postgres.errors('55P03') - before, 'statements');
  },
  'serialization errors': async ({ postgres, random }) => {
    const client = await postgres.connect();
    const before = postgres.errors('40001');
    const again = () =>
      client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'oc_engine'`);
    try {
      await client.query(`ALTER ROLE oc_engine SET default_transaction_isolation = 'serializable'`);
      await again();
      await pause(1_000 + random.below(2_000));
    } finally {
      await client.query('ALTER ROLE oc_engine RESET default_transaction_isolation').catch(() => undefined);
      await again().catch(() => undefined);
      await client.end().catch(() => undefined);
    }
    return told(postgres.errors('40001') - before, 'transactions');
  },
};

/** Names of every fault that a nemesis may strike with. */
export const NEMESIS_FAULTS = [...Object.keys(PROCESS_FAULTS), ...Object.keys(DATABASE_FAULTS)];

/**
 * Strikes at random moments until it is told to stop: one hand at the processes, one at the database. After `stop` the
 * database is up and every connection goes through.
 */
export class Nemesis {
  /** Faults that it has struck with so far. */
  strikes = 0;
  private stopping = false;
  private hands: Promise<void>[] = [];

  constructor(private readonly deps: NemesisDeps) {}

  begin(): void {
    this.deps.fleet.arming = true;
    this.hands = [this.hand(PROCESS_FAULTS, 500, 3_000), this.hand(DATABASE_FAULTS, 1_500, 6_000)];
  }

  /** Ends all faults; resolves when the last one is healed. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.hands);
    const { postgres, fleet } = this.deps;
    if (postgres.isDown) await postgres.launch();
    for (const slot of fleet.slots) {
      slot.proxy.heal();
      slot.engine?.signal('SIGCONT');
      slot.stopped = false;
    }
    await postgres.query('ALTER ROLE oc_engine RESET ALL');
    fleet.disarm();
  }

  private async hand(kinds: Record<string, Strike>, least: number, most: number): Promise<void> {
    const { random, faults, fleet, mayStrike } = this.deps;
    const names = Object.keys(kinds).filter(mayStrike);
    if (names.length === 0) return;
    while (!this.stopping) {
      // A machine on which processes start slowly is struck as much more slowly: else they only ever start.
      await pause(least + random.below(most - least) + fleet.startMs);
      if (this.stopping) return;
      const slot = random.pick(fleet.slots);
      if (slot.engine?.isUp !== true) continue;
      const name = random.pick(names);
      const { struck } = await faults.during(name, () => (kinds[name] as Strike)(this.deps, slot));
      if (struck) this.strikes += 1;
    }
  }
}
