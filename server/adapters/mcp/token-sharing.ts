import type { JsonObject } from '@/lib/shared/json';
import type { GuardedFetch } from '@/server/adapters/mcp/http-fetch';
import { type OAuthRecord, recordOf } from '@/server/adapters/mcp/oauth-provider';
import type { OAuthKey, OAuthStore } from '@/server/ports/oauth-store';

/** How long a refreshed token answers further requests to refresh it. */
const REFRESH_COUNTS_MS = 5000;

interface TokenAnswer {
  status: number;
  headers: Headers;
  body: string;
}

/**
 * Requests for tokens that happen at once share one. Many authorization servers take a refresh token only once, and a
 * second use can end the whole grant: so a refresh holds the lock of its record, over all processes, until the new tokens
 * are stored, and whoever comes later finds them there.
 */
export class TokenSharing {
  private readonly underWay = new Map<string, Promise<TokenAnswer>>();

  constructor(
    private readonly store: OAuthStore,
    private readonly fetch: GuardedFetch,
  ) {}

  /** The fetch for one record's connections. */
  for(key: OAuthKey): GuardedFetch {
    return Object.assign(
      (url: string | URL, init: RequestInit = {}, observer = {}) => {
        const { body } = init;
        const grant = body instanceof URLSearchParams ? body.get('grant_type') : null;
        if (grant === 'refresh_token') return this.refresh(key, url, init, body as URLSearchParams);
        if (grant === 'client_credentials')
          return this.sharedResponse(idOf(key, url), () => this.ask(url, init));
        return this.fetch(url, init, observer);
      },
      { close: () => this.fetch.close() },
    );
  }

  private refresh(
    key: OAuthKey,
    url: string | URL,
    init: RequestInit,
    body: URLSearchParams,
  ): Promise<Response> {
    const token = body.get('refresh_token') ?? '';
    const refresh = () =>
      this.store.exclusively(key, async () => {
        const record = recordOf(await this.store.load(key));
        const stored = storedAnswer(record, token);
        if (stored !== undefined) return stored;
        const answer = await this.ask(url, init);
        await this.keep(key, token, answer);
        return answer;
      });
    return this.sharedResponse(`${idOf(key, url)}\n${token}`, refresh, (answer) => {
      // Calls that were refused with the old token come here one by one, the later ones already with the new one.
      const fresh = answer.status === 200 ? tokensIn(answer.body)?.refresh_token : undefined;
      return typeof fresh === 'string' ? `${idOf(key, url)}\n${fresh}` : undefined;
    });
  }

  /** Stores new tokens before the lock is given back: a process that waits for it must not send the old one. */
  private async keep(key: OAuthKey, token: string, answer: TokenAnswer): Promise<void> {
    const tokens = answer.status === 200 ? tokensIn(answer.body) : undefined;
    if (tokens === undefined) return;
    await this.store.change(key, (stored) => {
      const record = recordOf(stored);
      const issuer = Object.keys(record.tokens).find((one) => record.tokens[one]?.refresh_token === token);
      if (issuer !== undefined)
        record.tokens[issuer] = { ...record.tokens[issuer], ...tokens } as OAuthRecord['tokens'][string];
      return record as unknown as JsonObject;
    });
  }

  private async sharedResponse(
    id: string,
    ask: () => Promise<TokenAnswer>,
    nextId: (answer: TokenAnswer) => string | undefined = () => undefined,
  ): Promise<Response> {
    let shared = this.underWay.get(id);
    if (shared === undefined) {
      shared = ask();
      this.underWay.set(id, shared);
      const forget = () => this.underWay.delete(id);
      shared.then((answer) => {
        const next = nextId(answer);
        if (next === undefined) {
          forget();
          return;
        }
        this.underWay.set(next, Promise.resolve(answer));
        setTimeout(() => {
          forget();
          this.underWay.delete(next);
        }, REFRESH_COUNTS_MS).unref();
      }, forget);
    }
    const answer = await shared;
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  }

  private async ask(url: string | URL, init: RequestInit): Promise<TokenAnswer> {
    const response = await this.fetch(url, init);
    return { status: response.status, headers: response.headers, body: await response.text() };
  }
}

/** The answer to a refresh that another process has made meanwhile; undefined when the token sent is the current one. */
function storedAnswer(record: OAuthRecord, sent: string): TokenAnswer | undefined {
  const all = Object.values(record.tokens);
  if (all.some((tokens) => tokens.refresh_token === sent)) return undefined;
  const current = record.tokens[record.lastIssuer ?? ''];
  if (current?.refresh_token === undefined) return undefined;
  const { access_token, refresh_token, token_type, expires_in, scope } = current;
  const body = JSON.stringify({ access_token, refresh_token, token_type, expires_in, scope });
  return { status: 200, headers: new Headers({ 'content-type': 'application/json' }), body };
}

function tokensIn(body: string): { access_token: string; refresh_token?: unknown } | undefined {
  try {
    const tokens = JSON.parse(body) as Record<string, unknown>;
    return typeof tokens.access_token === 'string' ? (tokens as { access_token: string }) : undefined;
  } catch {
    return undefined;
  }
}

function idOf(key: OAuthKey, url: string | URL): string {
  return [key.organizationId, key.server, key.subject, String(url)].join('\u0000');
}
