import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import type { PayloadFacts, PayloadReader } from '@/server/ports/payloads';
import type { RunService } from '@/server/services/run-service';

/** Bytes read at once: what a slow reader keeps in memory. */
const PIECE = 262_144;

export interface PayloadServiceDeps {
  runs: RunService;
  store: PayloadReader;
}

/** A content and the way to read it. */
export interface OpenPayload {
  facts: PayloadFacts;
  /** Its bytes from the first to the last, read as they are asked for. */
  pieces(): AsyncGenerator<Uint8Array>;
}

/** Contents that are kept apart from histories, as people read them. */
export class PayloadService {
  constructor(private readonly deps: PayloadServiceDeps) {}

  /** A content of a run. Throws RUN_NOT_FOUND, PAYLOAD_NOT_FOUND. */
  async open(actor: Actor, runId: string, sha256: string): Promise<OpenPayload> {
    const { store } = this.deps;
    const { organizationId } = await this.deps.runs.get(actor, runId);
    const facts = await store.find(organizationId, runId, sha256);
    if (!facts) {
      const message = `Run ${runId} keeps no content ${sha256.slice(0, 64)}.`;
      throw new AppError('PAYLOAD_NOT_FOUND', message, { path: '/sha256' });
    }
    return {
      facts,
      async *pieces() {
        for (let offset = 0; offset < facts.bytes; ) {
          const piece = await store.read(organizationId, runId, sha256, offset, PIECE);
          // Retention took it away in the middle: what was sent is not the whole, and must not look like it.
          if (piece.length === 0)
            throw new AppError('PAYLOAD_NOT_FOUND', 'The content has just been deleted.');
          offset += piece.length;
          yield piece;
        }
      },
    };
  }
}
