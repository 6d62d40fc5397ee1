import { compile, type Program } from '@/lib/engine/compile';
import { AppError, isAppError } from '@/lib/protocol/errors';
import type { DefinitionStore } from '@/server/ports/definition-store';

const MAX_PROGRAMS = 2_000;

/** Compiled definitions by content hash, the least recently used dropped first. A hash never changes its meaning. */
export class Programs {
  private readonly byHash = new Map<string, Promise<Program>>();

  constructor(private readonly definitions: DefinitionStore) {}

  /** Throws WORKFLOW_NOT_FOUND when the hash is unknown, INVALID_DEFINITION when it does not compile. */
  get(organizationId: string, hash: string): Promise<Program> {
    const key = `${organizationId} ${hash}`;
    const known = this.byHash.get(key);
    if (known) {
      this.byHash.delete(key);
      this.byHash.set(key, known);
      return known;
    }
    const loading = this.load(organizationId, hash);
    this.byHash.set(key, loading);
    loading.catch(() => this.byHash.delete(key));
    if (this.byHash.size > MAX_PROGRAMS) this.byHash.delete(this.byHash.keys().next().value as string);
    return loading;
  }

  /**
   * The programs of several runs, by hash; without those that are unknown or do not compile. Throws what the store throws
   * when it cannot be asked.
   */
  async all(
    wanted: readonly { organizationId: string; definitionHash: string }[],
  ): Promise<Map<string, Program>> {
    const found = new Map<string, Program>();
    for (const { organizationId, definitionHash } of wanted) {
      if (found.has(definitionHash)) continue;
      try {
        found.set(definitionHash, await this.get(organizationId, definitionHash));
      } catch (error) {
        if (!isAppError(error) || error.code === 'DATABASE_UNAVAILABLE') throw error;
      }
    }
    return found;
  }

  private async load(organizationId: string, hash: string): Promise<Program> {
    const definition = await this.definitions.byHash(organizationId, hash);
    if (!definition) throw new AppError('WORKFLOW_NOT_FOUND', `No definition with hash ${hash}.`);
    return compile(definition);
  }
}
