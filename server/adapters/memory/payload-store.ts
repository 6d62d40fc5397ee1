import type { MemoryDatabase } from '@/server/adapters/memory/database';
import type { Payloads } from '@/server/ports/payloads';

/** Payloads without a database, with the same promises. */
export function createMemoryPayloads(db: MemoryDatabase): Payloads {
  const get = (organizationId: string, runId: string, sha256: string) => {
    const found = db.payloads.get(runId)?.get(sha256);
    return found?.organizationId === organizationId ? found : undefined;
  };
  return {
    async put(organizationId, runId, payloads) {
      const kept = db.payloads.get(runId) ?? new Map();
      db.payloads.set(runId, kept);
      for (const { sha256, mimeType, body } of payloads) {
        if (!kept.has(sha256)) kept.set(sha256, { organizationId, sha256, mimeType, body: body.slice() });
      }
    },

    async find(organizationId, runId, sha256) {
      const found = get(organizationId, runId, sha256);
      return found ? { sha256, mimeType: found.mimeType, bytes: found.body.length } : null;
    },

    async read(organizationId, runId, sha256, offset, length) {
      const body = get(organizationId, runId, sha256)?.body ?? new Uint8Array();
      return body.slice(offset, offset + length);
    },
  };
}

/** Gives a run its own copies of contents that another run of the organisation has. */
export function adoptPayloads(
  db: MemoryDatabase,
  organizationId: string,
  runId: string,
  hashes: readonly string[],
): void {
  for (const sha256 of hashes) {
    for (const contents of db.payloads.values()) {
      const found = contents.get(sha256);
      if (found?.organizationId !== organizationId) continue;
      const kept = db.payloads.get(runId) ?? new Map();
      db.payloads.set(runId, kept);
      if (!kept.has(sha256)) kept.set(sha256, found);
      break;
    }
  }
}
