import { int64, madeText, moment } from '@/lib/engine/expression/operators';
import {
  compare,
  DurationValue,
  equal,
  fail,
  isMap,
  type Meter,
  OptionalValue,
  Timestamp,
  toJson,
  toText,
  typeName,
  type Value,
} from '@/lib/engine/expression/values';
import { type Json, MAX_NESTING } from '@/lib/shared/json';

/** What a function may look at besides its arguments. */
export interface CallContext {
  meter: Meter;
  /** Time of the event being worked on, epoch milliseconds. */
  now: number;
}

/** One function of the library. `signatures` are CEL's, for the type checker; empty when CEL knows it already. */
export interface LibraryFunction {
  name: string;
  /** Called as `value.name(…)`; otherwise as `name(…)`, namespaces included (`json.parse`). */
  method: boolean;
  /** Smallest and largest number of arguments (the receiver not counted). */
  arity: readonly [number, number];
  signatures: readonly string[];
  /** For the reference: what it gives, in one line. */
  about: string;
  run: (args: Value[], context: CallContext) => Value;
}

/** An argument as text, list, map, whole number; throws when it is something else. */
export function text(value: Value | undefined, what: string): string {
  if (typeof value === 'string') return value;
  throw fail(`${what} needs a string, not ${value === undefined ? 'nothing' : typeName(value)}.`);
}
export function list(value: Value | undefined, what: string): Value[] {
  if (Array.isArray(value)) return value;
  throw fail(`${what} needs a list, not ${value === undefined ? 'nothing' : typeName(value)}.`);
}
export function map(value: Value | undefined, what: string): { [key: string]: Value } {
  if (value !== undefined && isMap(value)) return value;
  throw fail(`${what} needs a map, not ${value === undefined ? 'nothing' : typeName(value)}.`);
}
export function whole(value: Value | undefined, what: string): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number)) return number;
  throw fail(`${what} needs a whole number.`);
}
export function number(value: Value | undefined, what: string): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  throw fail(`${what} needs a number.`);
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1h30m`, `90s`, `500ms`, `7d`, with an optional minus, in milliseconds; null when it is none. */
export function parseDurationText(source: string): number | null {
  const body = source.startsWith('-') ? source.slice(1) : source;
  if (body === '0') return 0;
  if (body.length > 60 || !/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(body)) return null;
  let ms = 0;
  for (const part of body.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    ms += Number(part[1]) * (UNITS[part[2] as string] as number);
  return source.startsWith('-') ? -ms : ms;
}

const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

function toTimestamp(value: Value | undefined): Timestamp {
  if (value instanceof Timestamp) return value;
  if (typeof value === 'number' || typeof value === 'bigint') return moment(Number(value));
  const source = text(value, 'timestamp()');
  const ms = ISO.test(source) ? Date.parse(source) : Number.NaN;
  if (Number.isNaN(ms)) throw fail(`${JSON.stringify(source.slice(0, 40))} is no ISO 8601 time.`);
  return moment(ms);
}

function toInt(value: Value | undefined): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return int64(BigInt(Math.trunc(value)));
  if (typeof value === 'string' && /^[+-]?\d{1,19}$/.test(value))
    return int64(BigInt(value.replace('+', '')));
  if (value instanceof Timestamp) return BigInt(Math.floor(value.ms / 1000));
  throw fail('int() cannot convert this value.');
}

function toDouble(value: Value | undefined): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' && /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(value))
    return Number(value);
  throw fail('double() cannot convert this value.');
}

function toBool(value: Value | undefined): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'TRUE' || value === 'True' || value === 't' || value === '1') return true;
  if (value === 'false' || value === 'FALSE' || value === 'False' || value === 'f' || value === '0')
    return false;
  throw fail('bool() cannot convert this value.');
}

function size(value: Value | undefined): bigint {
  if (typeof value === 'string') return BigInt([...value].length);
  if (Array.isArray(value)) return BigInt(value.length);
  if (value !== undefined && isMap(value)) return BigInt(Object.keys(value).length);
  throw fail('size() needs a string, a list or a map.');
}

/** Depth of JSON text, counted without parsing it: JSON.parse of deep text can exhaust the stack. */
function depthOf(source: string): number {
  let [depth, deepest, quoted] = [0, 0, false];
  for (let i = 0; i < source.length; i++) {
    const char = source.charCodeAt(i);
    if (quoted) {
      if (char === 92) i++;
      else if (char === 34) quoted = false;
    } else if (char === 34) quoted = true;
    else if (char === 123 || char === 91) deepest = Math.max(deepest, ++depth);
    else if (char === 125 || char === 93) depth--;
  }
  return deepest;
}

function parseJson(source: string, meter: Meter): Value {
  madeText(source.length, meter);
  if (depthOf(source) > MAX_NESTING) throw fail(`The JSON text is nested deeper than ${MAX_NESTING}.`);
  try {
    return JSON.parse(source) as Json as Value;
  } catch {
    throw fail('The text is no JSON.');
  }
}

const fn = (
  name: string,
  arity: readonly [number, number],
  signatures: readonly string[],
  about: string,
  run: LibraryFunction['run'],
): LibraryFunction => ({ name, method: false, arity, signatures, about, run });

/** Conversions, JSON, mathematics and time. */
export const CORE_FUNCTIONS: readonly LibraryFunction[] = [
  fn('size', [1, 1], [], 'characters of a string, items of a list, entries of a map', ([a]) => size(a)),
  fn('int', [1, 1], [], 'a number or text as a whole number (doubles are cut)', ([a]) => toInt(a)),
  fn('uint', [1, 1], [], 'as int(), not below zero', ([a]) => {
    const value = toInt(a);
    if (value < 0n) throw fail('uint() cannot convert a number below zero.');
    return value;
  }),
  fn('double', [1, 1], [], 'a number or text as a double', ([a]) => toDouble(a)),
  fn('bool', [1, 1], [], '"true" or "false" as a bool', ([a]) => toBool(a)),
  fn(
    'string',
    [1, 1],
    ['string(timestamp): string', 'string(duration): string'],
    'any value as text; lists and maps as JSON',
    ([a], { meter }) => {
      if (typeof a === 'bigint') return a.toString();
      const made = a === null ? 'null' : toText(a as Value);
      madeText(made.length, meter);
      return made;
    },
  ),
  fn('type', [1, 1], [], 'name of the type of a value', ([a]) => typeName(a as Value)),
  fn('dyn', [1, 1], [], 'the value itself, its type left open', ([a]) => a as Value),
  fn(
    'timestamp',
    [1, 1],
    ['timestamp(double): google.protobuf.Timestamp'],
    'a time from ISO 8601 text or epoch milliseconds',
    ([a]) => toTimestamp(a),
  ),
  fn(
    'duration',
    [1, 1],
    ['duration(double): google.protobuf.Duration'],
    'a length of time from `1h30m`, `7d`, `500ms`, or milliseconds',
    ([a]) => {
      if (a instanceof DurationValue) return a;
      if (typeof a === 'number' || typeof a === 'bigint') return new DurationValue(Number(a));
      const ms = parseDurationText(text(a, 'duration()'));
      if (ms === null) throw fail('duration() takes text such as 90s, 1h30m or 7d.');
      return new DurationValue(ms);
    },
  ),
  fn(
    'now',
    [0, 0],
    ['now(): google.protobuf.Timestamp'],
    'time of the event being worked on (the same again in a replay)',
    (_args, { now }) => new Timestamp(now),
  ),
  fn(
    'default',
    [2, 2],
    ['default(dyn, dyn): dyn'],
    'the first value, or the second when the first is null or absent',
    ([a, b]) => {
      const value = a instanceof OptionalValue ? (a.value ?? null) : (a as Value);
      return value === null ? (b as Value) : value;
    },
  ),
  fn('optional.of', [1, 1], [], 'an optional that holds the value', ([a]) => new OptionalValue(a as Value)),
  fn('optional.none', [0, 0], [], 'an optional that holds nothing', () => new OptionalValue(undefined)),
  fn('json.parse', [1, 1], ['json.parse(string): dyn'], 'JSON text as a value', ([a], { meter }) =>
    parseJson(text(a, 'json.parse()'), meter),
  ),
  fn('json.stringify', [1, 1], ['json.stringify(dyn): string'], 'a value as JSON text', ([a], { meter }) => {
    const made = JSON.stringify(toJson(a as Value));
    madeText(made.length, meter);
    return made;
  }),
  fn('math.abs', [1, 1], ['math.abs(dyn): dyn'], 'the amount without its sign', ([a]) =>
    typeof a === 'bigint' ? int64(a < 0n ? -a : a) : Math.abs(number(a, 'math.abs()')),
  ),
  fn('math.floor', [1, 1], ['math.floor(dyn): double'], 'rounded down', ([a]) =>
    Math.floor(number(a, 'math.floor()')),
  ),
  fn('math.ceil', [1, 1], ['math.ceil(dyn): double'], 'rounded up', ([a]) =>
    Math.ceil(number(a, 'math.ceil()')),
  ),
  fn('math.round', [1, 1], ['math.round(dyn): double'], 'rounded, halves away from zero', ([a]) => {
    const value = number(a, 'math.round()');
    return Math.sign(value) * Math.round(Math.abs(value));
  }),
  fn(
    'math.min',
    [1, 10],
    ['math.min(dyn): dyn', 'math.min(dyn, dyn): dyn', 'math.min(dyn, dyn, dyn): dyn'],
    'the smallest of its arguments, or of one list',
    (args) => extreme(args, -1),
  ),
  fn(
    'math.max',
    [1, 10],
    ['math.max(dyn): dyn', 'math.max(dyn, dyn): dyn', 'math.max(dyn, dyn, dyn): dyn'],
    'the largest of its arguments, or of one list',
    (args) => extreme(args, 1),
  ),
];

function extreme(args: Value[], sign: 1 | -1): Value {
  const items = args.length === 1 && Array.isArray(args[0]) ? args[0] : args;
  const first = items[0];
  if (first === undefined) throw fail('An empty list has no smallest or largest item.');
  return items.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best), first);
}

/** Used by `distinct` and `indexOf` of lists. */
export function includes(items: readonly Value[], item: Value, meter: Meter): boolean {
  return items.some((other) => equal(other, item, meter));
}
