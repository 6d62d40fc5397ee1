import type { Actor } from '@/lib/protocol/actor';
import type { KeyRotationBody } from '@/lib/protocol/api-keys';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { AuditLog } from '@/server/ports/audit-log';
import type { KeyHolder, SealState, SealStore } from '@/server/ports/seal-store';

export interface KeyRotationDeps {
  store: SealStore;
  keys: {
    source: 'environment' | 'file';
    mainId(): string;
    ids(): string[];
    /** Makes the next key of the data folder, and gives its id. */
    makeNext(): string;
  };
  keeper: { refresh(): Promise<SealState>; holders(): Promise<KeyHolder[]> };
  audit: AuditLog;
  /** The organisation whose owners run this instance. */
  operators: string;
}

/** The master key of the instance and its rotation: for owners of the first organisation, who run the instance. */
export class KeyRotationService {
  constructor(private readonly deps: KeyRotationDeps) {}

  async status(actor: Actor): Promise<KeyRotationBody> {
    this.mayOperate(actor);
    return this.shown(await this.deps.store.read());
  }

  /**
   * Begins a rotation; one that is under way goes on.
   *
   * @throws KEY_NOT_NEW when the environment has no other key than the one in use, SECRET_UNREADABLE when this process
   *   does not have the one in use
   */
  async rotate(actor: Actor): Promise<KeyRotationBody> {
    this.mayOperate(actor);
    const { store, keeper, audit } = this.deps;
    const { activeKey: from, rotation } = await keeper.refresh();
    if (rotation === null || rotation.phase === 'done') {
      const to = this.target(from);
      await audit.record(actor, 'secret.rotate-key', to, { from, to });
      await store.begin(from, to, actor.id);
    }
    return this.shown(await keeper.refresh());
  }

  private target(from: string): string {
    const { keys } = this.deps;
    if (!keys.ids().includes(from)) {
      throw new AppError(
        'SECRET_UNREADABLE',
        `The database is sealed under the key ${from}, which this process does not have.`,
      );
    }
    const main = keys.mainId();
    if (main !== from) return main;
    if (keys.source === 'file') return keys.makeNext();
    throw new AppError('KEY_NOT_NEW', `OPENCONDUCTOR_SECRET_KEY holds the key that is in use (${from}).`);
  }

  private mayOperate(actor: Actor): void {
    requirePermission(actor, 'organization:manage');
    if (actor.organizationId !== this.deps.operators)
      throw new AppError('OPERATOR_ONLY', 'This is for owners of the first organisation of the instance.');
  }

  private async shown({ activeKey, form, rotation }: SealState): Promise<KeyRotationBody> {
    const { keys, keeper } = this.deps;
    const wanted = rotation !== null && rotation.phase !== 'done' ? rotation.to : activeKey;
    const processes = (await keeper.holders()).map(({ host, pid, keys: held }) => ({
      host: host.split(' ')[0] ?? host,
      pid,
      ready: held.includes(wanted),
    }));
    return {
      activeKey,
      source: keys.source,
      envelope: form === 2,
      processes,
      rotation: rotation && {
        ...rotation,
        startedAt: new Date(rotation.startedAt).toISOString(),
        endedAt: rotation.endedAt === null ? null : new Date(rotation.endedAt).toISOString(),
      },
    };
  }
}
