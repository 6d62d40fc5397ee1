/** What the hash of a sealed entry stands for. */
export interface SealedFacts {
  organizationId: string;
  chainSeq: number;
  previousHash: string;
  id: string;
  /** ISO 8601, milliseconds, UTC. */
  at: string;
  actorKind: string;
  actorId: string;
  action: string;
  object: string;
  /** The JSON text as it is stored. */
  details: string;
  source: string | null;
}

/** The text that is hashed: every fact in a fixed order, so that not one byte of an entry can change unseen. */
export function sealText(facts: SealedFacts): string {
  const { organizationId, chainSeq, previousHash, id, at, actorKind, actorId } = facts;
  const { action, object, details, source } = facts;
  const what = [organizationId, chainSeq, previousHash, id, at, actorKind, actorId];
  return JSON.stringify([1, ...what, action, object, details, source]);
}
