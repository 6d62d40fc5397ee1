import type { Actor } from '@/lib/protocol/actor';

/** Organisations, users and memberships. */
export interface IdentityStore {
  /**
   * The local organisation and its owner, made at first start. Until sign-in exists every request acts as this owner.
   */
  ensureLocalOwner(): Promise<Actor>;
}
