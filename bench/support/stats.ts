/** The value below which the share `q` (0 to 1) of the numbers lies; NaN without numbers. `sorted` is ascending. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] as number;
}

/** Middle value, the lower one of two; NaN without numbers. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** `value` with `digits` decimals, as a number: for output that people read. */
export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** Spread of a set of latencies, in the unit of the numbers given. */
export interface Spread {
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
}

/** Quantiles of numbers in any order, rounded to `digits` decimals. */
export function spread(values: readonly number[], digits = 2): Spread {
  const sorted = Float64Array.from(values).sort();
  const at = (q: number) => round(quantile(sorted, q), digits);
  return {
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    max: round(sorted.at(-1) ?? Number.NaN, digits),
  };
}
