import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatArgv, formatLine } from '@/lib/commands/format';
import { type ParsedCommand, parseArgv, parseLine } from '@/lib/commands/parse';
import { COMMANDS, commandsOn, GLOBAL_FLAGS } from '@/lib/commands/registry';
import type { ArgValue, CommandSpec, FlagSpec } from '@/lib/commands/types';
import { formatValue, readValue } from '@/lib/commands/values';

const spec = (more: Pick<FlagSpec, 'type'> & Partial<FlagSpec>): FlagSpec => ({
  name: 'x',
  summary: 'X.',
  ...more,
});

/** Any value of a type, as the parser would produce it. */
const valuesFor: Record<FlagSpec['type'], (row: FlagSpec) => fc.Arbitrary<ArgValue>> = {
  string: () => fc.string({ minLength: 1 }),
  integer: (row) => fc.integer({ min: row.min ?? -1000, max: row.max ?? 1_000_000 }),
  boolean: () => fc.boolean(),
  json: () => fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as ArgValue),
  'json-or-file': () =>
    fc.oneof(
      fc
        .jsonValue()
        .map((value) => ({ from: 'inline', value: JSON.parse(JSON.stringify(value)) }) as ArgValue),
      fc.string({ minLength: 1 }).map((path) => ({ from: 'file', path }) as ArgValue),
      fc.constant({ from: 'stdin' } as ArgValue),
    ),
  list: () =>
    fc.array(
      fc.string({ minLength: 1 }).filter((item) => !item.includes(',') && item.trim() === item),
      { minLength: 1 },
    ),
  enum: (row) => fc.constantFrom(...(row.values ?? [])),
  duration: (row) => fc.integer({ min: row.min ?? 0, max: row.max ?? 10_000_000_000 }),
};

describe('formatValue', () => {
  it('is read back as the same value', () => {
    const rows = (Object.keys(valuesFor) as FlagSpec['type'][]).map((type) =>
      spec({ type, values: ['a', 'b_c'] }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...rows).chain((row) => fc.tuple(fc.constant(row), valuesFor[row.type](row))),
        ([row, value]) => {
          expect(readValue(row, formatValue(row, value))).toEqual({ ok: true, value });
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** Arguments that fit a row: everything required, and some of the rest. */
function argsOf(command: CommandSpec): fc.Arbitrary<Record<string, ArgValue>> {
  const shape: Record<string, fc.Arbitrary<ArgValue>> = {};
  for (const spec of command.args) {
    shape[spec.name] = spec.rest ? fc.array(fc.string(), { minLength: 1 }) : valuesFor[spec.type](spec);
  }
  const required = command.args.filter((spec) => spec.required !== false).map((spec) => spec.name);
  for (const flag of command.flags as readonly FlagSpec[]) shape[flag.name] = valuesFor[flag.type](flag);
  return fc.record(shape, { requiredKeys: required }) as fc.Arbitrary<Record<string, ArgValue>>;
}

const globalsOf = fc.record(
  Object.fromEntries(
    (GLOBAL_FLAGS as readonly FlagSpec[])
      .filter((flag) => flag.name !== 'help')
      .map((flag) => [flag.name, valuesFor[flag.type](flag)]),
  ),
  { requiredKeys: [] },
) as fc.Arbitrary<ParsedCommand['globals']>;

describe('format, then parse', () => {
  const any = (rows: readonly CommandSpec[]) =>
    fc.constantFrom(...rows).chain((command) => fc.tuple(fc.constant(command), argsOf(command), globalsOf));

  it('gives the same command and arguments through argv', () => {
    fc.assert(
      fc.property(any(COMMANDS), ([command, args, globals]) => {
        const result = parseArgv(formatArgv(command, args, globals));
        expect(result).toEqual({ ok: true, parsed: { command, args, globals } });
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the same through a line of the command bar', () => {
    fc.assert(
      fc.property(any(commandsOn('bar')), ([command, args, globals]) => {
        const result = parseLine(formatLine(command, args, globals));
        expect(result).toEqual({ ok: true, parsed: { command, args, globals } });
      }),
      { numRuns: 1000 },
    );
  });

  it('answers any line without throwing, and points inside it', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'run',
        'list',
        'SRV',
        'orchestrate',
        'CALL',
        '--input',
        '--with=a',
        '-n',
        '--',
        '--help',
        '{"a"',
        "'",
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        const line = words.join(' ');
        for (const result of [parseLine(line), parseArgv(words)]) {
          if (result.ok) continue;
          expect(result.error.start).toBeGreaterThanOrEqual(0);
          expect(result.error.start).toBeLessThanOrEqual(result.error.end);
          expect(result.error.end).toBeLessThanOrEqual(result.error.line.length);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
