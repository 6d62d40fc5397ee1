import { createHash } from 'node:crypto';
import type { RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '@/lib/protocol/errors';
import type { Allowance } from '@/server/adapters/http/allowance';

/** Counts requests by key and refuses those that are too many. */
export class RateLimit {
  /**
   * @param limit most requests of one key in a window
   * @param seconds length of the window
   * @param counter counts up to `limit` in `seconds`
   */
  constructor(
    readonly limit: number,
    readonly seconds: number,
    private readonly what: string,
    private readonly counter: RateLimiterAbstract,
  ) {}

  /** Counts one request. Throws RATE_LIMITED with the seconds to wait in `details.retryAfter`. */
  async take(key: string): Promise<Allowance> {
    try {
      return this.allowance(await this.counter.consume(hashed(key)));
    } catch (refused) {
      if (refused instanceof Error) throw refused;
      throw this.refused(this.allowance(refused as RateLimiterRes));
    }
  }

  /** Throws RATE_LIMITED when a key has nothing left, and counts nothing. */
  async mustHaveLeft(key: string): Promise<void> {
    const state = await this.counter.get(hashed(key));
    if (state !== null && state.remainingPoints <= 0) throw this.refused(this.allowance(state));
  }

  /** Gives a key its whole allowance back. */
  async forget(key: string): Promise<void> {
    await this.counter.delete(hashed(key));
  }

  private refused(allowance: Allowance): AppError {
    return new AppError('RATE_LIMITED', `${this.what}: ${this.limit} in ${this.seconds} s.`, {
      details: { retryAfter: allowance.reset, allowance },
    });
  }

  private allowance(state: RateLimiterRes): Allowance {
    return {
      limit: this.limit,
      remaining: Math.max(0, state.remainingPoints),
      reset: Math.max(1, Math.ceil(state.msBeforeNext / 1000)),
    };
  }
}

/** Keys are e-mail addresses and the like: what may be kept outside of the process is of one length and tells nothing. */
function hashed(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}
