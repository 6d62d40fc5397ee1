/** Counters and recent latencies of one server. */
export class CallStats {
  calls = 0;
  errors = 0;
  lastError: string | null = null;
  private readonly samples: Float64Array;
  private count = 0;

  constructor(capacity = 512) {
    this.samples = new Float64Array(capacity);
  }

  /** One finished call. `failed` counts failures of the server and of the tool alike. */
  record(durationMs: number, failed: boolean): void {
    this.calls++;
    if (failed) this.errors++;
    this.samples[this.count % this.samples.length] = durationMs;
    this.count++;
  }

  /** Percentiles in milliseconds over the newest calls, or null before the first one. */
  latency(): { p50: number; p95: number } | null {
    const size = Math.min(this.count, this.samples.length);
    if (size === 0) return null;
    const sorted = this.samples.slice(0, size).sort();
    const at = (share: number) =>
      Math.round((sorted[Math.min(size - 1, Math.floor(share * size))] ?? 0) * 1000) / 1000;
    return { p50: at(0.5), p95: at(0.95) };
  }
}
