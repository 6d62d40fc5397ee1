import type { Actor } from '@/lib/protocol/actor';
import type { AuditEntryBody, AuditFilter, AuditVerification } from '@/lib/protocol/api-audit';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { AuditReader, ChainLink } from '@/server/ports/audit-store';

const PAGE = 1_000;
const CURSOR = /^(\d{4}-\d\d-\d\dT[\d:.]+Z)_([0-9a-f-]{36})$/;

export interface AuditServiceDeps {
  store: AuditReader;
  /** The hash that a link has to have. */
  hash: (link: ChainLink) => string;
}

/** Use cases around the audit log: search, export, proof that nothing in it was changed. */
export class AuditService {
  constructor(private readonly deps: AuditServiceDeps) {}

  async search(actor: Actor, filter: AuditFilter, limit: number, cursor: string | undefined) {
    requirePermission(actor, 'audit:read');
    const items = await this.deps.store.search(actor.organizationId, filter, limit, placeOf(cursor));
    return { items, nextCursor: items.length === limit ? cursorOf(items.at(-1)) : null };
  }

  /** Every entry that fits, newest first, page by page. */
  async *export(actor: Actor, filter: AuditFilter): AsyncGenerator<AuditEntryBody> {
    requirePermission(actor, 'audit:read');
    let before: { at: string; id: string } | null = null;
    for (;;) {
      const rows: AuditEntryBody[] = await this.deps.store.search(actor.organizationId, filter, PAGE, before);
      yield* rows;
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) return;
      before = { at: last.at, id: last.id };
    }
  }

  /** Walks the whole chain; names the first entry that is not what was sealed. */
  async verify(actor: Actor): Promise<AuditVerification> {
    requirePermission(actor, 'audit:read');
    const { store, hash } = this.deps;
    const { organizationId } = actor;
    // The end first: what is sealed while we walk is no fault.
    const head = await store.head(organizationId);
    let seq = 0;
    let previousHash = '';
    const result = async (broken: AuditVerification['broken']): Promise<AuditVerification> => ({
      ok: broken === null,
      checked: seq,
      unsealed: await store.unsealed(organizationId),
      head: head.hash,
      broken,
    });
    while (seq < head.seq) {
      const links = await store.chain(organizationId, seq, PAGE);
      if (links.length === 0) return result({ seq: seq + 1, id: null, fault: 'cut' });
      for (const link of links) {
        if (link.chainSeq > head.seq) break;
        if (link.chainSeq !== seq + 1) return result({ seq: seq + 1, id: null, fault: 'missing' });
        if (link.previousHash !== previousHash || hash(link) !== link.hash) {
          return result({ seq: link.chainSeq, id: link.id, fault: 'changed' });
        }
        seq = link.chainSeq;
        previousHash = link.hash;
      }
    }
    if (previousHash !== head.hash) return result({ seq, id: null, fault: 'cut' });
    // Entries and the end of the chain are sealed together: what stands behind an end that was read later was put there.
    const behind = await store.chain(organizationId, seq, PAGE);
    const end = (await store.head(organizationId)).seq;
    const forged = behind.find((link) => link.chainSeq > end);
    return result(forged ? { seq: forged.chainSeq, id: forged.id, fault: 'changed' } : null);
  }
}

function cursorOf(entry: AuditEntryBody | undefined): string | null {
  return entry ? `${entry.at}_${entry.id}` : null;
}

function placeOf(cursor: string | undefined): { at: string; id: string } | null {
  if (cursor === undefined) return null;
  const [, at, id] = CURSOR.exec(cursor) ?? [];
  if (at && id && !Number.isNaN(Date.parse(at))) return { at, id };
  throw new AppError('INVALID_INPUT', 'This is not a cursor of this list.', { path: '/cursor' });
}
