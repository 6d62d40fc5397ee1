import { durationMs } from '@/lib/engine/duration';
import type { RetrySettings } from '@/lib/protocol/definition-common';
import type { Failure } from '@/lib/protocol/run';

/** Retry settings with every default filled in; times in milliseconds. */
export interface RetryPolicy {
  maxAttempts: number;
  initialDelayMs: number;
  multiplier: number;
  maxDelayMs: number;
  jitter: boolean;
  retryOn: ReadonlySet<string> | null;
}

const DEFAULTS = { maxAttempts: 3, initialDelayMs: 1000, multiplier: 2, maxDelayMs: 60_000 };
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RETRYABLE: ReadonlySet<string> = new Set(['NETWORK_ERROR', 'TIMEOUT', 'SERVER_START_FAILED']);

/** The presets of the definition format: attempts and timeout of one attempt. */
export const PRESETS = {
  'external-api': { maxAttempts: 3, timeoutMs: 30_000 },
  database: { maxAttempts: 2, timeoutMs: 10_000 },
  'long-running': { maxAttempts: 1, timeoutMs: 300_000 },
} as const;
export type Preset = keyof typeof PRESETS;

/** A call's retry policy: the node's own settings, then its preset, then the defaults. */
export function retryPolicy(settings: RetrySettings | undefined, preset: Preset | undefined): RetryPolicy {
  return {
    maxAttempts:
      settings?.maxAttempts ?? (preset === undefined ? DEFAULTS.maxAttempts : PRESETS[preset].maxAttempts),
    initialDelayMs:
      settings?.initialDelay === undefined ? DEFAULTS.initialDelayMs : durationMs(settings.initialDelay),
    multiplier: settings?.multiplier ?? DEFAULTS.multiplier,
    maxDelayMs: settings?.maxDelay === undefined ? DEFAULTS.maxDelayMs : durationMs(settings.maxDelay),
    jitter: settings?.jitter ?? true,
    retryOn: settings?.retryOn === undefined ? null : new Set(settings.retryOn),
  };
}

/** Timeout of one attempt in milliseconds. */
export function attemptTimeoutMs(timeout: string | number | undefined, preset: Preset | undefined): number {
  if (timeout !== undefined) return durationMs(timeout);
  return preset === undefined ? DEFAULT_TIMEOUT_MS : PRESETS[preset].timeoutMs;
}

/** True when another attempt can help: by the policy's own list, else by the failure's word, else by the default codes. */
export function isRetriable(policy: RetryPolicy, failure: Failure): boolean {
  if (policy.retryOn !== null) return policy.retryOn.has(failure.code);
  return failure.retriable ?? DEFAULT_RETRYABLE.has(failure.code);
}

/**
 * Milliseconds before the attempt after `attempt`: initialDelay × multiplier^(attempt−1), at most maxDelay. With jitter the
 * second half of it is scaled by `jitter` (in [0, 1), drawn by the host and kept in the event).
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, jitter: number): number {
  const full = Math.min(policy.initialDelayMs * policy.multiplier ** (attempt - 1), policy.maxDelayMs);
  return Math.round(policy.jitter ? full / 2 + (full / 2) * jitter : full);
}
