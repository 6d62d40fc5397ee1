import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel';
import type { Clock } from '@/lib/shared/clock';
import type { ToolOutcome } from '@/server/ports/mcp-fleet';

/** Codes that say something about the server rather than about one call of it. */
const SERVER_FAILURES = new Set(['NETWORK_ERROR', 'TIMEOUT', 'SERVER_START_FAILED', 'PROTOCOL_ERROR']);
/** Codes that prove nothing either way: the server was not asked, or the call was taken back. */
const NEUTRAL = new Set([
  'CANCELLED',
  'INVALID_TOOL_ARGUMENTS',
  'TOOL_NOT_FOUND',
  'TOOL_BLOCKED',
  'COMMAND_NOT_ALLOWED',
  'SHUTTING_DOWN',
]);
/** When a probe is under way: how soon it is worth asking again. */
const PROBE_WAIT_MS = 1000;

/** Carries an outcome that must not count past the breaker. */
class NeutralOutcome extends Error {
  constructor(readonly outcome: ToolOutcome) {
    super('neutral');
  }
}

/**
 * Circuit breaker of one server: opens after five failures in a row, lets one call through after 30 s, closes when
 * that one succeeds. Calls are refused at once while it is open or while the probe is under way.
 */
export class ServerBreaker {
  private readonly policy: CircuitBreakerPolicy;
  private halfOpenAt = 0;

  constructor(
    private readonly clock: Clock,
    options: { failures?: number; halfOpenAfterMs?: number } = {},
    /** Told when it opens (with the epoch ms at which a call may go through again) and when it closes (without). */
    onChange: (retryAt: number | undefined) => void = () => undefined,
  ) {
    const halfOpenAfter = options.halfOpenAfterMs ?? 30_000;
    const failed = handleWhenResult((outcome) => this.counts(outcome as ToolOutcome));
    this.policy = circuitBreaker(failed, {
      halfOpenAfter,
      breaker: new ConsecutiveBreaker(options.failures ?? 5),
    });
    this.policy.onBreak(() => {
      this.halfOpenAt = this.clock.now() + halfOpenAfter;
      onChange(this.halfOpenAt);
    });
    this.policy.onReset(() => onChange(undefined));
  }

  /** When a call may go through again (epoch ms), or undefined when it may now. */
  retryAt(): number | undefined {
    const { state } = this.policy;
    if (state === CircuitState.HalfOpen) return this.clock.now() + PROBE_WAIT_MS;
    if (state === CircuitState.Open && this.clock.now() < this.halfOpenAt) return this.halfOpenAt;
    return undefined;
  }

  get state(): 'closed' | 'open' | 'half-open' {
    const { state } = this.policy;
    if (state === CircuitState.Closed) return 'closed';
    return state === CircuitState.HalfOpen ? 'half-open' : 'open';
  }

  /** Runs a call and counts its outcome. `refused` makes the outcome of a call that may not go through. */
  async run(
    call: () => Promise<ToolOutcome>,
    refused: (retryAt: number) => ToolOutcome,
  ): Promise<ToolOutcome> {
    const wait = this.retryAt();
    if (wait !== undefined) return refused(wait);
    try {
      return await this.policy.execute(async () => {
        const outcome = await call();
        if (isNeutral(outcome) && this.policy.state === CircuitState.Closed)
          throw new NeutralOutcome(outcome);
        return outcome;
      });
    } catch (error) {
      if (error instanceof NeutralOutcome) return error.outcome;
      if (error instanceof BrokenCircuitError) return refused(this.halfOpenAt);
      throw error;
    }
  }

  private counts(outcome: ToolOutcome): boolean {
    if (outcome.ok) return false;
    // A probe that was cancelled proves nothing: without this the breaker would close on it.
    if (isNeutral(outcome)) return this.policy.state === CircuitState.HalfOpen;
    return SERVER_FAILURES.has(outcome.failure.code);
  }
}

function isNeutral(outcome: ToolOutcome): boolean {
  return !outcome.ok && NEUTRAL.has(outcome.failure.code);
}
