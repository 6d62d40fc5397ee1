import {
  type CallContext,
  includes,
  type LibraryFunction,
  list,
  map,
  text,
  whole,
} from '@/lib/engine/expression/functions-core';
import { binary, madeList, madeText } from '@/lib/engine/expression/operators';
import { testPattern } from '@/lib/engine/expression/regex';
import {
  compare,
  DurationValue,
  equal,
  fail,
  isMap,
  OptionalValue,
  Timestamp,
  typeName,
  type Value,
} from '@/lib/engine/expression/values';

const method = (
  name: string,
  arity: readonly [number, number],
  signatures: readonly string[],
  about: string,
  run: LibraryFunction['run'],
): LibraryFunction => ({ name, method: true, arity, signatures, about, run });

/** Scanning a text costs by its length. */
function scanned(source: string, { meter }: CallContext): string {
  meter.charge(source.length >> 4);
  return source;
}

function slice(source: string, from: number, to: number): string {
  if (from < 0 || to < from || to > source.length) throw fail('substring() reaches outside the text.');
  return source.slice(from, to);
}

function replaceText(args: Value[], context: CallContext): Value {
  const [source, what, by] = [
    text(args[0], 'replace()'),
    text(args[1], 'replace()'),
    text(args[2], 'replace()'),
  ];
  if (what === '') return source;
  const parts = scanned(source, context).split(what);
  const limit = args[3] === undefined ? parts.length : whole(args[3], 'replace()') + 1;
  const kept =
    parts.length <= limit ? parts : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(what)];
  madeText(source.length + kept.length * by.length, context.meter);
  return kept.join(by);
}

const STRING_METHODS: readonly LibraryFunction[] = [
  method('startsWith', [1, 1], [], 'text begins with', ([a, b]) =>
    text(a, 'startsWith()').startsWith(text(b, 'startsWith()')),
  ),
  method('endsWith', [1, 1], [], 'text ends with', ([a, b]) =>
    text(a, 'endsWith()').endsWith(text(b, 'endsWith()')),
  ),
  method(
    'contains',
    [1, 1],
    ['list.contains(dyn): bool'],
    'text contains text; list contains item',
    ([a, b], context) => {
      if (Array.isArray(a)) return includes(a, b as Value, context.meter);
      return scanned(text(a, 'contains()'), context).includes(text(b, 'contains()'));
    },
  ),
  method('lowerAscii', [0, 0], [], 'in small letters', ([a], context) =>
    scanned(text(a, 'lowerAscii()'), context).toLowerCase(),
  ),
  method('upperAscii', [0, 0], [], 'in capital letters', ([a], context) =>
    scanned(text(a, 'upperAscii()'), context).toUpperCase(),
  ),
  method('trim', [0, 0], [], 'without white space at both ends', ([a], context) =>
    scanned(text(a, 'trim()'), context).trim(),
  ),
  method('split', [1, 2], [], 'text cut at a separator; at most n parts', ([a, b, n], context) => {
    const [source, separator] = [scanned(text(a, 'split()'), context), text(b, 'split()')];
    const parts = source.split(separator);
    const limit = n === undefined ? -1 : whole(n, 'split()');
    const kept =
      limit < 0 || parts.length <= limit
        ? parts
        : limit === 0
          ? []
          : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
    madeList(kept.length, context.meter);
    return kept;
  }),
  method(
    'replace',
    [2, 3],
    ['string.replace(string, string): string', 'string.replace(string, string, int): string'],
    'every (or the first n) occurrence replaced',
    replaceText,
  ),
  method('substring', [1, 2], [], 'part of a text, from and up to a position', ([a, from, to]) => {
    const source = text(a, 'substring()');
    return slice(
      source,
      whole(from, 'substring()'),
      to === undefined ? source.length : whole(to, 'substring()'),
    );
  }),
  method(
    'indexOf',
    [1, 1],
    ['list.indexOf(dyn): int'],
    'first position in a text or list, or -1',
    ([a, b], context) => {
      if (Array.isArray(a)) return BigInt(a.findIndex((item) => equal(item, b as Value, context.meter)));
      return BigInt(scanned(text(a, 'indexOf()'), context).indexOf(text(b, 'indexOf()')));
    },
  ),
  method('lastIndexOf', [1, 1], [], 'last position in a text, or -1', ([a, b], context) =>
    BigInt(scanned(text(a, 'lastIndexOf()'), context).lastIndexOf(text(b, 'lastIndexOf()'))),
  ),
  method('size', [0, 0], [], 'as size(value)', ([a]) => {
    if (typeof a === 'string') return BigInt([...a].length);
    if (Array.isArray(a)) return BigInt(a.length);
    if (a !== undefined && isMap(a)) return BigInt(Object.keys(a).length);
    throw fail('size() needs a string, a list or a map.');
  }),
];

const LIST_METHODS: readonly LibraryFunction[] = [
  method(
    'join',
    [0, 1],
    ['list.join(): string', 'list.join(string): string'],
    'items of a list of texts in one text',
    ([a, separator], { meter }) => {
      const items = list(a, 'join()').map((item) => text(item, 'join()'));
      const between = separator === undefined ? '' : text(separator, 'join()');
      madeText(
        items.reduce((sum, item) => sum + item.length + between.length, 0),
        meter,
      );
      return items.join(between);
    },
  ),
  method('sort', [0, 0], ['list.sort(): list'], 'items in rising order', ([a], { meter }) => {
    const items = list(a, 'sort()');
    madeList(items.length, meter);
    meter.charge(items.length * 4);
    return [...items].sort(compare);
  }),
  method('reverse', [0, 0], ['list.reverse(): list'], 'items in the other direction', ([a], { meter }) => {
    madeList(list(a, 'reverse()').length, meter);
    return [...list(a, 'reverse()')].reverse();
  }),
  method('distinct', [0, 0], ['list.distinct(): list'], 'each item once', ([a], { meter }) => {
    const seen = new Set<Value>();
    const out: Value[] = [];
    for (const item of list(a, 'distinct()')) {
      meter.charge(1);
      const plain = typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean';
      if (plain ? seen.has(item) : includes(out, item, meter)) continue;
      if (plain) seen.add(item);
      out.push(item);
    }
    return out;
  }),
  method(
    'flatten',
    [0, 0],
    ['list.flatten(): list'],
    'lists inside a list opened by one level',
    ([a], { meter }) => {
      const out = list(a, 'flatten()').flat(1) as Value[];
      madeList(out.length, meter);
      return out;
    },
  ),
  method(
    'slice',
    [2, 2],
    ['list.slice(int, int): list'],
    'part of a list, from and up to a position',
    ([a, from, to]) => list(a, 'slice()').slice(whole(from, 'slice()'), whole(to, 'slice()')),
  ),
  method('sum', [0, 0], ['list.sum(): dyn'], 'items added up (0 for none)', ([a], { meter }) =>
    list(a, 'sum()').reduce((sum, item) => binary('+', sum, item, meter), 0 as Value),
  ),
  method(
    'first',
    [0, 0],
    ['list.first(): dyn'],
    'first item, or null',
    ([a]) => list(a, 'first()')[0] ?? null,
  ),
  method(
    'last',
    [0, 0],
    ['list.last(): dyn'],
    'last item, or null',
    ([a]) => list(a, 'last()').at(-1) ?? null,
  ),
  method('keys', [0, 0], ['map.keys(): list<string>'], 'keys of a map, sorted', ([a], { meter }) => {
    const keys = Object.keys(map(a, 'keys()')).sort();
    madeList(keys.length, meter);
    return keys;
  }),
  method(
    'values',
    [0, 0],
    ['map.values(): list'],
    'values of a map, in the order of its sorted keys',
    ([a], { meter }) => {
      const source = map(a, 'values()');
      madeList(Object.keys(source).length, meter);
      return Object.keys(source)
        .sort()
        .map((key) => source[key] as Value);
    },
  ),
  method(
    'merge',
    [1, 1],
    ['map.merge(map): map'],
    'entries of both maps; the argument wins',
    ([a, b], { meter }) => {
      const out = { ...map(a, 'merge()'), ...map(b, 'merge()') };
      meter.charge(Object.keys(out).length);
      return out;
    },
  ),
  method(
    'hasValue',
    [0, 0],
    [],
    'whether an optional holds a value',
    ([a]) => optional(a).value !== undefined,
  ),
  method('value', [0, 0], [], 'what an optional holds', ([a]) => {
    const { value } = optional(a);
    if (value === undefined) throw fail('The optional holds no value.');
    return value;
  }),
  method('or', [1, 1], [], 'this optional, or the other when it is empty', ([a, b]) =>
    optional(a).value === undefined ? optional(b) : optional(a),
  ),
  method(
    'orValue',
    [1, 1],
    [],
    'what an optional holds, or the argument',
    ([a, b]) => optional(a).value ?? (b as Value),
  ),
];

function optional(value: Value | undefined): OptionalValue {
  if (value instanceof OptionalValue) return value;
  throw fail(`An optional is needed here, not ${value === undefined ? 'nothing' : typeName(value)}.`);
}

const part = (
  name: string,
  about: string,
  ofDate: (date: Date) => number,
  ofDuration?: (ms: number) => number,
) =>
  method(name, [0, 0], [], about, ([a]) => {
    if (a instanceof Timestamp) return BigInt(ofDate(new Date(a.ms)));
    if (a instanceof DurationValue && ofDuration !== undefined) return BigInt(Math.trunc(ofDuration(a.ms)));
    throw fail(`${name}() needs a timestamp.`);
  });

const TIME_METHODS: readonly LibraryFunction[] = [
  part('getFullYear', 'year (UTC, as all of these)', (date) => date.getUTCFullYear()),
  part('getMonth', 'month, January is 0', (date) => date.getUTCMonth()),
  part('getDate', 'day of the month, from 1', (date) => date.getUTCDate()),
  part('getDayOfMonth', 'day of the month, from 0', (date) => date.getUTCDate() - 1),
  part('getDayOfWeek', 'day of the week, Sunday is 0', (date) => date.getUTCDay()),
  part(
    'getHours',
    'hour; of a duration: whole hours',
    (date) => date.getUTCHours(),
    (ms) => ms / 3_600_000,
  ),
  part(
    'getMinutes',
    'minute; of a duration: whole minutes',
    (date) => date.getUTCMinutes(),
    (ms) => ms / 60_000,
  ),
  part(
    'getSeconds',
    'second; of a duration: whole seconds',
    (date) => date.getUTCSeconds(),
    (ms) => ms / 1000,
  ),
  part(
    'getMilliseconds',
    'millisecond; of a duration: all of them',
    (date) => date.getUTCMilliseconds(),
    (ms) => ms,
  ),
  method(
    'millis',
    [0, 0],
    ['google.protobuf.Timestamp.millis(): int'],
    'a time as epoch milliseconds',
    ([a]) => {
      if (a instanceof Timestamp) return BigInt(Math.floor(a.ms));
      throw fail('millis() needs a timestamp.');
    },
  ),
];

const PATTERN: LibraryFunction = {
  name: 're.test',
  method: false,
  arity: [2, 2],
  signatures: ['re.test(string, string): bool'],
  about: 'whether a pattern (RE2 syntax, time in proportion to the text) is found in a text',
  run: ([a, b], { meter }) => testPattern(text(b, 're.test()'), text(a, 're.test()'), meter),
};

/** Methods of texts, lists, maps, optionals and times, and `re.test`. */
export const METHOD_FUNCTIONS: readonly LibraryFunction[] = [
  ...STRING_METHODS,
  ...LIST_METHODS,
  ...TIME_METHODS,
  PATTERN,
];
