import { mkdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PatientClient } from '@/tests/faults/client';
import { CounterLog } from '@/tests/faults/counter-log';
import { FaultyPostgres } from '@/tests/faults/database';
import { bundleServer } from '@/tests/faults/engine';
import { FaultLog } from '@/tests/faults/fault-log';
import { Fleet } from '@/tests/faults/fleet';
import { People } from '@/tests/faults/people';
import { fixedDefinitions } from '@/tests/faults/programs';
import { watchRecovery } from '@/tests/faults/recovery';
import { ROOT } from '@/tests/faults/root';
import type { Random } from '@/tests/simulation/random';

/** A database, engine processes, a counting server, people and a client: everything that faults can strike. */
export interface World {
  postgres: FaultyPostgres;
  fleet: Fleet;
  counter: CounterLog;
  people: People;
  client: PatientClient;
  faults: FaultLog;
  close(): Promise<void>;
}

export interface WorldOptions {
  random: Random;
  engines: number;
  /** Which faults new processes may be armed with. */
  may: (fault: string) => boolean;
  /** Keep logs for a look afterwards. */
  keep?: boolean;
  say: (line: string) => void;
}

/** Starts a world. Whatever ends the harness also ends the world's processes. */
export async function openWorld({ random, engines, may, keep = false, say }: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'oc-faults-run-'));
  mkdirSync(join(folder, 'state'));
  const counter = new CounterLog(join(folder, 'counter.jsonl'));
  // First what can fail without leaving anything behind.
  const bundle = await bundleServer();
  const postgres = await FaultyPostgres.start();
  const faults = new FaultLog();
  const fleet = await Fleet.start({
    bundle,
    databaseUrl: postgres.url,
    folder,
    servers: {
      counter: {
        command: 'node',
        args: [join(ROOT, 'tests/faults/counter-server.mjs')],
        env: { COUNTER_LOG: counter.file, COUNTER_STATE: join(folder, 'state') },
        concurrency: 64,
      },
    },
    size: engines,
    random,
    faults,
    mayArm: may,
  });
  const removeFiles = () => {
    rmSync(bundle, { force: true });
    rmSync(`${bundle}.map`, { force: true });
    if (!keep) rmSync(folder, { recursive: true, force: true });
  };
  const onExit = () => {
    fleet.closeNow();
    postgres.removeNow();
    removeFiles();
  };
  const onSignal = (signal: string) => {
    say(`ended by ${signal}`);
    process.exit(130);
  };
  process.on('exit', onExit);
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const client = new PatientClient(fleet, random);
  const people = new People(postgres, client, random, faults);
  const recovery = watchRecovery(postgres, fleet, faults);
  const close = async () => {
    recovery.stop();
    await people.close().catch(() => undefined);
    await fleet.close();
    await postgres.remove().catch(() => undefined);
    process.off('exit', onExit);
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    removeFiles();
    if (keep) say(`kept: ${folder}`);
  };
  try {
    for (const definition of fixedDefinitions()) {
      const answer = await client.ask('POST', '/api/v1/workflows', definition);
      if (answer.status !== 201)
        throw new Error(`${definition.name} is refused: ${JSON.stringify(answer.body)}`);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { postgres, fleet, counter, people, client, faults, close };
}
