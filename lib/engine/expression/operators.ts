import { EXPRESSION_LIMITS } from '@/lib/engine/expression/limits';
import {
  compare,
  DurationValue,
  equal,
  fail,
  isMap,
  type Meter,
  member,
  OptionalValue,
  Timestamp,
  typeName,
  type Value,
} from '@/lib/engine/expression/values';
import { FIRST_TIME_MS, LAST_TIME_MS } from '@/lib/shared/time';

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);

/** A 64-bit int; throws when the value does not fit. */
export function int64(value: bigint): bigint {
  if (value > MAX_INT || value < MIN_INT) throw fail('A whole number went over 64 bits.');
  return value;
}

/** A text that was made; throws when it is too long. */
export function madeText(length: number, meter: Meter): void {
  if (length > EXPRESSION_LIMITS.textLength)
    throw fail(`A text grew over ${EXPRESSION_LIMITS.textLength} characters.`);
  meter.charge(length >> 4);
}

/** A list that was made; throws when it is too long. */
export function madeList(length: number, meter: Meter): void {
  if (length > EXPRESSION_LIMITS.listItems)
    throw fail(`A list grew over ${EXPRESSION_LIMITS.listItems} items.`);
  meter.charge(length >> 4);
}

const isNumber = (value: Value): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';

function noOverload(operator: string, a: Value, b: Value): Error {
  return fail(`${typeName(a)} ${operator} ${typeName(b)} is not possible.`);
}

function add(a: Value, b: Value, meter: Meter): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int64(a + b);
  if (isNumber(a) && isNumber(b)) return Number(a) + Number(b);
  if (typeof a === 'string' && typeof b === 'string') {
    madeText(a.length + b.length, meter);
    return a + b;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    madeList(a.length + b.length, meter);
    return [...a, ...b];
  }
  if (a instanceof Timestamp && b instanceof DurationValue) return moment(a.ms + b.ms);
  if (a instanceof DurationValue && b instanceof Timestamp) return moment(a.ms + b.ms);
  if (a instanceof DurationValue && b instanceof DurationValue) return new DurationValue(a.ms + b.ms);
  throw noOverload('+', a, b);
}

function subtract(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int64(a - b);
  if (isNumber(a) && isNumber(b)) return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return new DurationValue(a.ms - b.ms);
  if (a instanceof Timestamp && b instanceof DurationValue) return moment(a.ms - b.ms);
  if (a instanceof DurationValue && b instanceof DurationValue) return new DurationValue(a.ms - b.ms);
  throw noOverload('-', a, b);
}

/** A timestamp in the range that ISO 8601 can write (years 0001 to 9999). */
export function moment(ms: number): Timestamp {
  if (!(ms >= FIRST_TIME_MS && ms <= LAST_TIME_MS)) throw fail('A time lies outside the years 1 to 9999.');
  return new Timestamp(ms);
}

function divide(a: Value, b: Value, operator: '/' | '%'): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') {
    if (b === 0n) throw fail('Division by zero.');
    return operator === '/' ? int64(a / b) : a % b;
  }
  if (isNumber(a) && isNumber(b)) {
    const [x, y] = [Number(a), Number(b)];
    if (operator === '/') return x / y;
    // CEL has no remainder of doubles, but JSON's whole numbers are doubles here.
    if (Number.isInteger(x) && Number.isInteger(y)) {
      if (y === 0) throw fail('Division by zero.');
      return x % y;
    }
  }
  throw noOverload(operator, a, b);
}

function within(a: Value, b: Value, meter: Meter): boolean {
  if (Array.isArray(b)) return b.some((item) => equal(a, item, meter));
  if (isMap(b)) return (typeof a === 'string' || isNumber(a)) && member(b, String(a)) !== undefined;
  throw noOverload('in', a, b);
}

/** Every binary operator but `&&` and `||`, which do not always look at both sides. */
export function binary(operator: string, a: Value, b: Value, meter: Meter): Value {
  switch (operator) {
    case '+':
      return add(a, b, meter);
    case '-':
      return subtract(a, b);
    case '*':
      if (typeof a === 'bigint' && typeof b === 'bigint') return int64(a * b);
      if (isNumber(a) && isNumber(b)) return Number(a) * Number(b);
      throw noOverload('*', a, b);
    case '/':
    case '%':
      return divide(a, b, operator);
    case '==':
      return equal(a, b, meter);
    case '!=':
      return !equal(a, b, meter);
    case '<':
      return compare(a, b) < 0;
    case '<=':
      return compare(a, b) <= 0;
    case '>':
      return compare(a, b) > 0;
    case '>=':
      return compare(a, b) >= 0;
    case 'in':
      return within(a, b, meter);
    default:
      throw fail(`Unknown operator ${operator}.`);
  }
}

/** `-x`. */
export function negate(value: Value): Value {
  if (typeof value === 'bigint') return int64(-value);
  if (typeof value === 'number') return -value;
  if (value instanceof DurationValue) return new DurationValue(-value.ms);
  throw fail(`-${typeName(value)} is not possible.`);
}

/** `a.key` and `a[key]`; undefined when it is not there. Reads own members only. */
export function access(container: Value, key: Value): Value | undefined {
  if (container instanceof OptionalValue) {
    if (container.value === undefined) return container;
    const inner = access(container.value, key);
    return new OptionalValue(inner);
  }
  if (Array.isArray(container)) {
    const index = typeof key === 'bigint' ? Number(key) : key;
    if (typeof index !== 'number' || !Number.isInteger(index))
      throw fail(`A list has no member ${String(key)}.`);
    return container[index];
  }
  if (isMap(container)) {
    if (typeof key !== 'string' && !isNumber(key)) throw fail(`A ${typeName(key)} is no key of a map.`);
    return member(container, String(key));
  }
  throw fail(`${typeName(container)} has no member ${JSON.stringify(String(key))}.`);
}
