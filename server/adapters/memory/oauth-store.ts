import type { JsonObject } from '@/lib/shared/json';
import type { OAuthKey, OAuthStore } from '@/server/ports/oauth-store';

/** OAuth state in memory: forgotten with the process. */
export class MemoryOAuthStore implements OAuthStore {
  private readonly records = new Map<string, JsonObject>();
  private readonly turns = new Map<string, Promise<unknown>>();
  private readonly states = new Map<string, { key: OAuthKey; expiresAt: number }>();

  async load(key: OAuthKey): Promise<JsonObject | undefined> {
    return structuredClone(this.records.get(keyText(key)));
  }

  async change(key: OAuthKey, edit: (record: JsonObject | undefined) => JsonObject): Promise<void> {
    // In one step: nothing else runs in between.
    const text = keyText(key);
    this.records.set(text, structuredClone(edit(structuredClone(this.records.get(text)))));
  }

  async remove(key: OAuthKey): Promise<void> {
    this.records.delete(keyText(key));
  }

  async exclusively<T>(key: OAuthKey, work: () => Promise<T>): Promise<T> {
    const text = keyText(key);
    const turn = (this.turns.get(text) ?? Promise.resolve()).then(work);
    this.turns.set(
      text,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async rememberState(state: string, key: OAuthKey, expiresAt: number): Promise<void> {
    this.states.set(state, { key, expiresAt });
  }

  async takeState(state: string, now: number): Promise<OAuthKey | undefined> {
    const found = this.states.get(state);
    this.states.delete(state);
    return found === undefined || found.expiresAt < now ? undefined : found.key;
  }
}

function keyText(key: OAuthKey): string {
  return [key.organizationId, key.server, key.subject].join('\u0000');
}
