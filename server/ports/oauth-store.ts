import type { JsonObject } from '@/lib/shared/json';

/** Whose authorization at which server. */
export interface OAuthKey {
  organizationId: string;
  server: string;
  /** The person; '' for the organisation's own. */
  subject: string;
}

/**
 * Where OAuth registrations, tokens and flows under way are kept. Everything in it is secret: an adapter seals it
 * before it stores it, and never logs it.
 */
export interface OAuthStore {
  load(key: OAuthKey): Promise<JsonObject | undefined>;
  /** Changes what is there in one step: of two changes at the same time, of any process, neither is lost. */
  change(key: OAuthKey, edit: (record: JsonObject | undefined) => JsonObject): Promise<void>;
  remove(key: OAuthKey): Promise<void>;
  /** Runs `work` while nobody else, of any process, runs such work for the same key; rejects as `work` does. */
  exclusively<T>(key: OAuthKey, work: () => Promise<T>): Promise<T>;
  /** Notes which flow a `state` belongs to, until `expiresAt` (epoch ms). */
  rememberState(state: string, key: OAuthKey, expiresAt: number): Promise<void>;
  /** The flow of a `state`, once only; undefined when it is unknown, used or expired. */
  takeState(state: string, now: number): Promise<OAuthKey | undefined>;
}
