import { EXPRESSION_LIMITS } from '@/lib/engine/expression/limits';
import { AppError } from '@/lib/protocol/errors';
import { isJsonObject, type Json } from '@/lib/shared/json';

/** A moment. `ms` is epoch milliseconds. */
export class Timestamp {
  constructor(readonly ms: number) {}
}

/** A length of time in milliseconds; may be negative. */
export class DurationValue {
  constructor(readonly ms: number) {}
}

/** CEL's optional: `a.?b`. */
export class OptionalValue {
  constructor(readonly value: Value | undefined) {}
}

/**
 * What expressions work on. JSON values come in as they are (numbers are CEL's double); whole-number literals and
 * sizes are CEL's int, held as bigint.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Value[]
  | { [key: string]: Value }
  | Timestamp
  | DurationValue
  | OptionalValue;

/** Work done so far; `charge` throws when there is too much of it. */
export class Meter {
  spent = 0;

  /** A failure that `||`, `&&`, `all` or `exists` is about to overlook; never the one about too much work. */
  overlook(error: unknown): void {
    if (this.spent > EXPRESSION_LIMITS.cost) throw error;
    // Making and catching an error costs far more than an operation.
    this.charge(250);
  }

  charge(units: number): void {
    this.spent += units;
    if (this.spent > EXPRESSION_LIMITS.cost) {
      throw new AppError(
        'EXPRESSION_FAILED',
        `The expression does too much work (over ${EXPRESSION_LIMITS.cost} units).`,
      );
    }
  }
}

/** EXPRESSION_FAILED with a message. */
export function fail(message: string): AppError {
  return new AppError('EXPRESSION_FAILED', message);
}

/** Runs a part of an expression: whatever it throws (a number out of range, an odd key) is EXPRESSION_FAILED, no bug of ours. */
export function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw fail(
      `The expression cannot be computed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** True for a map: a plain object that is none of our value classes. */
export function isMap(value: Value): value is { [key: string]: Value } {
  return (
    isJsonObject(value) &&
    !(value instanceof Timestamp || value instanceof DurationValue || value instanceof OptionalValue)
  );
}

/** CEL's name for the type of a value. */
export function typeName(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Timestamp) return 'timestamp';
  if (value instanceof DurationValue) return 'duration';
  if (value instanceof OptionalValue) return 'optional';
  return 'map';
}

/** Own member of a map; never anything inherited. */
export function member(map: { [key: string]: Value }, key: string): Value | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Deep equality; an int equals a double of the same value. */
export function equal(a: Value, b: Value, meter: Meter): boolean {
  meter.charge(1);
  if (a === b) return true;
  if ((typeof a === 'bigint' || typeof a === 'number') && (typeof b === 'bigint' || typeof b === 'number')) {
    // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 is the comparison wanted here
    return a == b;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => equal(item, b[i] as Value, meter));
  }
  if (a instanceof Timestamp && b instanceof Timestamp) return a.ms === b.ms;
  if (a instanceof DurationValue && b instanceof DurationValue) return a.ms === b.ms;
  if (a instanceof OptionalValue && b instanceof OptionalValue) {
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equal(a.value, b.value, meter);
  }
  if (isMap(a) && isMap(b)) {
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    return keys.every((key) => {
      const other = member(b, key);
      return other !== undefined && equal(a[key] as Value, other, meter);
    });
  }
  return false;
}

/** Negative, zero or positive; throws for values that have no order. */
export function compare(a: Value, b: Value): number {
  if ((typeof a === 'bigint' || typeof a === 'number') && (typeof b === 'bigint' || typeof b === 'number')) {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return a.ms - b.ms;
  if (a instanceof DurationValue && b instanceof DurationValue) return a.ms - b.ms;
  throw fail(`Cannot order ${typeName(a)} and ${typeName(b)}.`);
}

/**
 * Result of an expression as JSON: ints become numbers, times ISO 8601, durations `90s`, an empty optional null. What is
 * JSON already is shared, not copied. Throws when the result would be too large to write.
 */
export function toJson(value: Value): Json {
  return guarded(() =>
    measure(value, { left: EXPRESSION_LIMITS.resultSize }) ? convert(value) : (value as Json),
  );
}

function convert(value: Value): Json {
  if (typeof value === 'bigint') {
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
      throw fail(`${value} is too large for a JSON number; use string().`);
    }
    return Number(value);
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw fail(`${value} is not a JSON number.`);
    return value;
  }
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(convert);
  if (value instanceof Timestamp) return new Date(value.ms).toISOString();
  if (value instanceof DurationValue) return `${value.ms / 1000}s`;
  if (value instanceof OptionalValue) return value.value === undefined ? null : convert(value.value);
  const out: { [key: string]: Json } = {};
  for (const key of Object.keys(value)) out[key] = convert(value[key] as Value);
  return out;
}

/**
 * True when something inside is not JSON already. Counts the size as JSON text on the way: lists that hold one large value
 * many times are small in memory and huge when written.
 */
function measure(value: Value, size: { left: number }): boolean {
  size.left -= typeof value === 'string' ? value.length + 2 : 4;
  if (size.left < 0) throw fail(`The result is larger than ${EXPRESSION_LIMITS.resultSize} characters.`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return false;
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value === 'bigint') return true;
  let copy = false;
  if (Array.isArray(value)) {
    for (const item of value) copy = measure(item, size) || copy;
    return copy;
  }
  if (value instanceof OptionalValue) {
    if (value.value !== undefined) measure(value.value, size);
    return true;
  }
  if (!isMap(value)) return true;
  for (const key of Object.keys(value)) {
    size.left -= key.length + 4;
    copy = measure(value[key] as Value, size) || copy;
  }
  return copy;
}

/** A value inside a longer text: text as it is, null as nothing, lists and maps as JSON. */
export function toText(value: Value): string {
  const json = toJson(value);
  if (json === null) return '';
  return typeof json === 'string' ? json : JSON.stringify(json);
}
