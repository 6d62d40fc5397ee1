import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import type { PayloadFacts, PayloadReader } from '@/server/ports/payloads';
import type { RunMasks } from '@/server/services/run-masks';
import type { RunService } from '@/server/services/run-service';

/** Bytes read at once: what a slow reader keeps in memory. */
const PIECE = 262_144;

export interface PayloadServiceDeps {
  runs: RunService;
  masks: RunMasks;
  store: PayloadReader;
}

/** Contents in which sensitive values are looked for; in any other they would not be found. */
const READABLE = /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml|yaml)\b)/;

/** A content and the way to read it. */
export interface OpenPayload {
  facts: PayloadFacts;
  /** True when parts of it were replaced: it is not what the hash names. */
  masked: boolean;
  /** Its bytes from the first to the last, read as they are asked for. */
  pieces(): AsyncGenerator<Uint8Array>;
}

/** Contents that are kept apart from histories, as people read them. */
export class PayloadService {
  constructor(private readonly deps: PayloadServiceDeps) {}

  /** A content of a run. Throws RUN_NOT_FOUND, PAYLOAD_NOT_FOUND, FORBIDDEN for one that is sensitive as a whole. */
  async open(actor: Actor, runId: string, sha256: string, reveal = false): Promise<OpenPayload> {
    const { store } = this.deps;
    const { organizationId } = await this.deps.runs.get(actor, runId);
    const facts = await store.find(organizationId, runId, sha256);
    if (!facts) {
      const message = `Run ${runId} keeps no content ${sha256.slice(0, 64)}.`;
      throw new AppError('PAYLOAD_NOT_FOUND', message, { path: '/sha256' });
    }
    const masker = await this.deps.masks.for(actor, runId, reveal, `content ${sha256}`);
    if (masker?.holds(sha256)) {
      const message = 'This content is sensitive: it needs payloads:reveal, and reveal=true.';
      throw new AppError('FORBIDDEN', message, { details: { permission: 'payloads:reveal' } });
    }
    const open: OpenPayload = {
      facts,
      masked: false,
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
    if (masker === null || !READABLE.test(facts.mimeType)) return open;
    const whole: Uint8Array[] = [];
    for await (const piece of open.pieces()) whole.push(piece);
    const text = Buffer.concat(whole).toString('utf8');
    const shown = Buffer.from(masker.text(text));
    if (shown.toString('utf8') === text) return open;
    return {
      facts: { ...facts, bytes: shown.length },
      masked: true,
      async *pieces() {
        yield shown;
      },
    };
  }
}
