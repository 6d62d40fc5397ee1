import type { Actor } from '@/lib/protocol/actor';
import type { JsonObject } from '@/lib/shared/json';

/** Writes by people, keys and agents that are not themselves rows of another table's transaction. */
export interface AuditLog {
  record(actor: Actor, action: string, object: string, details: JsonObject): Promise<void>;
}
