import { createHmac, randomUUID } from 'node:crypto';
import { isAppError } from '@/lib/protocol/errors';
import type { Clock } from '@/lib/shared/clock';
import type { Operation } from '@/server/adapters/http/operation';
import { keyRotationOperations } from '@/server/adapters/http/operations/key-rotation';
import { isAlive, machineName } from '@/server/adapters/machine';
import { createAuditLog } from '@/server/adapters/postgres/audit-log';
import type { Pool } from '@/server/adapters/postgres/pool';
import type { createPrisma } from '@/server/adapters/postgres/prisma';
import { createSealStore } from '@/server/adapters/postgres/seal-store';
import { IDENTITY_CONTEXT } from '@/server/adapters/postgres/sealed-places';
import { createSealer, createSealKey, Keyring } from '@/server/adapters/sealer';
import {
  makeNextSecretKey,
  promoteNextSecretKey,
  readNextSecretKey,
  readSecretKeys,
  type SecretKeys,
} from '@/server/adapters/secret-key';
import type { Config } from '@/server/config/config';
import type { Log } from '@/server/ports/log';
import type { SealState } from '@/server/ports/seal-store';
import { KeyRotationService } from '@/server/services/key-rotation-service';
import { KeyKeeper } from '@/server/workers/key-keeper';

const LOOK_MS = 1_000;

export interface KeysDeps {
  config: Config;
  /** Connections as oc_app, and through Prisma. */
  app: Pool;
  prisma: ReturnType<typeof createPrisma>;
  /** Ids of every organisation. */
  organizations: () => Promise<string[]>;
  /** The first organisation, whose owners run the instance. */
  operators: string;
  clock: Clock;
  log: Log;
}

/** Part of the composition root: the master key, what it seals, and its rotation. */
export async function createKeys(deps: KeysDeps) {
  const { config, app, prisma, clock, log, operators } = deps;
  const { dataDir } = config;
  let secrets = readSecretKeys(config);
  const ring = new Keyring(createSealKey(secrets.main), others(secrets));
  // Only what a rotation brings is read again: a file that goes away under a running process takes nothing from it.
  const take = (now: Partial<SecretKeys>) => {
    secrets = { ...secrets, ...now };
    ring.hold(createSealKey(secrets.main), others(secrets));
  };
  const use = ({ activeKey, form }: SealState) => ring.use({ keyId: activeKey, form });

  const store = createSealStore(app);
  // What is there was sealed before anybody asked: by the older key, when there is one.
  const first = secrets.previous[0] ?? secrets.main;
  const identity = createSealer(first).seal(sessionsOf(first), IDENTITY_CONTEXT);
  const state = await store.claim(createSealKey(first).id, identity);
  use(state);
  const notes: string[] = [];
  if (!ring.holds(state.activeKey)) {
    notes.push(
      `The database is sealed under the key ${state.activeKey}, which this process does not have (it has ` +
        `${ring.ids.join(', ')}): give it that key as OPENCONDUCTOR_SECRET_KEY_PREVIOUS. Until then older secrets cannot ` +
        'be read, and people sign in anew.',
    );
    log.warn('secret_key', { status: 'missing', needed: state.activeKey, held: ring.ids.join(',') });
  }

  const keeper = new KeyKeeper({
    store,
    keys: {
      refresh() {
        if (secrets.source === 'file') take({ next: readNextSecretKey(dataDir) ?? secrets.next });
      },
      use,
      ids: () => ring.ids,
      sealsUnder: () => ring.sealsUnder,
      settle(keyId) {
        const { next } = secrets;
        if (next === undefined || createSealKey(next).id !== keyId) return;
        promoteNextSecretKey(dataDir, next);
        take({ main: next, next: undefined });
      },
      reseal: (sealed, context) => ring.reseal(sealed, context),
    },
    process: { id: randomUUID(), host: machineName(), pid: process.pid },
    isAlive,
    organizations: deps.organizations,
    auditIn: operators,
    clock,
    log,
    everyMs: LOOK_MS,
  });
  const rotation = new KeyRotationService({
    store,
    keys: {
      source: secrets.source,
      mainId: () => ring.mainId,
      ids: () => ring.ids,
      makeNext: () => createSealKey(makeNextSecretKey(dataDir)).id,
    },
    keeper,
    audit: createAuditLog(prisma),
    operators,
  });
  const operations: Operation[] = keyRotationOperations(rotation);
  return {
    sealer: ring,
    operations,
    notes,
    /** What cookies and tokens of people are signed with: a rotation does not change it. */
    sessionSecret: sessionSecret(ring, state, secrets.main),
    start: () => keeper.start(),
    stop: () => keeper.stop(),
  };
}

function others({ previous, next }: SecretKeys) {
  return [...previous, ...(next === undefined ? [] : [next])].map(createSealKey);
}

function sessionSecret(ring: Keyring, state: SealState, main: string): string {
  try {
    return ring.open(state.identitySealed, IDENTITY_CONTEXT);
  } catch (error) {
    if (isAppError(error)) return sessionsOf(main);
    throw error;
  }
}

/** What versions before derived anew at each start. */
function sessionsOf(secret: string): string {
  return createHmac('sha256', secret).update('sessions').digest('hex');
}
