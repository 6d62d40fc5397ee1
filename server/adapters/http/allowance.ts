/** How much of an allowance is left, as headers say it. */
export interface Allowance {
  limit: number;
  remaining: number;
  /** Seconds until all of it is there again. */
  reset: number;
}

/** The headers of an allowance (draft-ietf-httpapi-ratelimit-headers in its widely read form). */
export function allowanceHeaders({ limit, remaining, reset }: Allowance): Record<string, string> {
  return {
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(reset),
    'ratelimit-policy': `${limit};w=60`,
  };
}
