import type { Fleet } from '@/tests/faults/fleet';
import type { Random } from '@/tests/simulation/random';

/** A definite answer: success, or a refusal that the same request would get again. */
export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many operations
  body: any;
  at: number;
}

/** Long: on a slow machine processes are killed faster than they start. What is too late for a law is for the laws to say. */
const PATIENCE_MS = 600_000;

/**
 * A client as it should be: the same request with the same Idempotency-Key again, at any living process, until one
 * answers for certain.
 */
export class PatientClient {
  /** Requests that had to be repeated. */
  repeated = 0;

  constructor(
    private readonly fleet: Fleet,
    private readonly random: Random,
  ) {}

  async ask(method: string, path: string, body?: unknown, key?: string): Promise<Answer> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.once(method, path, body, key);
      if (answer !== null && answer.status < 500 && answer.status !== 429) return answer;
      if (Date.now() > until)
        throw new Error(
          `${method} ${path}: no answer within ${PATIENCE_MS} ms (last ${JSON.stringify(answer)}).`,
        );
      this.repeated += 1;
      await new Promise((resolve) => setTimeout(resolve, 20 + this.random.below(100)));
    }
  }

  /** One try at a random process; null when there was no answer. */
  async once(method: string, path: string, body?: unknown, key?: string): Promise<Answer | null> {
    const up = this.fleet.up();
    if (up.length === 0) return null;
    const slot = this.random.pick(up);
    try {
      const response = await fetch(`${slot.engine?.url}${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(8_000),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : JSON.parse(text), at: Date.now() };
    } catch {
      return null;
    }
  }
}
