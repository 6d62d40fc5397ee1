import { createGuardedFetch } from '@/server/adapters/mcp/http-fetch';
import { assertUrlAllowed, type NetworkPolicy } from '@/server/adapters/mcp/ssrf';
import type { WebhookSender } from '@/server/ports/webhook-out-store';

/** What receivers answer is not read beyond this. */
const MAX_ANSWER_BYTES = 65_536;

/** Posts over connections that reach only what the policy allows; redirects are not followed. */
export function createWebhookSender(policy: NetworkPolicy): WebhookSender & { close(): void } {
  const guarded = createGuardedFetch(policy, MAX_ANSWER_BYTES);
  return {
    check(url) {
      assertUrlAllowed(url, policy);
    },

    async post(url, body, headers, timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await guarded(url, { method: 'POST', body, headers, signal });
      await response.body?.cancel();
      return { status: response.status, retryAfterMs: retryAfter(response) };
    },

    close: () => guarded.close(),
  };
}

/** Retry-After in seconds or as a date, where it means something; milliseconds from now. */
function retryAfter(response: Response): number | null {
  const value = response.headers.get('retry-after');
  if (value === null || (response.status !== 429 && response.status !== 503)) return null;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) && wait > 0 ? wait : null;
}
