import { compile, type Program } from '@/lib/engine/compile';
import { AppError } from '@/lib/protocol/errors';
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

  private async load(organizationId: string, hash: string): Promise<Program> {
    const definition = await this.definitions.byHash(organizationId, hash);
    if (!definition) throw new AppError('WORKFLOW_NOT_FOUND', `No definition with hash ${hash}.`);
    return compile(definition);
  }
}
