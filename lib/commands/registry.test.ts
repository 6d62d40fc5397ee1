import { describe, expect, it } from 'vitest';
import { parseArgv, parseLine } from '@/lib/commands/parse';
import {
  COMMANDS,
  commandNamed,
  commandsOn,
  commandWithCode,
  GLOBAL_FLAGS,
  OBJECTS,
  objectNamed,
} from '@/lib/commands/registry';
import { tokenize } from '@/lib/commands/tokens';
import type { CommandSpec } from '@/lib/commands/types';

const rows: readonly CommandSpec[] = COMMANDS;
const PANELS = ['REG', 'MAP', 'MET', 'SRV', 'EXE', 'SYS', 'ACT', 'QCK'];

function twice(values: readonly string[]): string[] {
  return values.filter((value, at) => values.indexOf(value) !== at);
}

describe('the registry', () => {
  it('has codes of 2–4 capitals, each once', () => {
    expect(rows.length).toBeGreaterThan(15);
    for (const row of rows) expect(row.code).toMatch(/^[A-Z]{2,4}$/);
    expect(twice(rows.map((row) => row.code))).toEqual([]);
  });

  it('gives a code that is also a panel to a command of that panel only', () => {
    for (const row of rows) if (PANELS.includes(row.code)) expect(row.panel).toBe(row.code);
  });

  it('has names and aliases that mean one command each', () => {
    expect(twice(rows.flatMap((row) => [row.name, ...(row.aliases ?? [])]))).toEqual([]);
    for (const row of rows) {
      expect(row.name).toMatch(/^[a-z]+( [a-z]+(-[a-z]+)?)?$/);
      expect(commandNamed(row.name)).toBe(row);
      expect(commandWithCode(row.code.toLowerCase())).toBe(row);
    }
  });

  it('has flags that are distinct from each other and from the global ones', () => {
    for (const row of rows) {
      const flags = [...row.flags, ...GLOBAL_FLAGS];
      expect(twice(flags.map((flag) => flag.name))).toEqual([]);
      expect(twice(flags.flatMap((flag) => ('short' in flag && flag.short ? [flag.short] : [])))).toEqual([]);
      expect(twice([...row.args, ...row.flags].map((spec) => spec.name))).toEqual([]);
    }
  });

  it('has arguments that can be told apart: optional ones last, a rest only at the end', () => {
    for (const row of rows) {
      const optional = row.args.findIndex((spec) => spec.required === false);
      if (optional >= 0) expect(row.args.slice(optional).every((spec) => spec.required === false)).toBe(true);
      row.args.forEach((spec, at) => {
        if (spec.rest) expect([spec.type, at]).toEqual(['list', row.args.length - 1]);
      });
    }
  });

  it('says what an enum may hold, and gives words to every text', () => {
    for (const row of rows) {
      expect(row.summary).not.toMatch(/\.$/);
      expect(row.help).toMatch(/\.$/);
      expect(row.keywords.length).toBeGreaterThan(2);
      expect(row.surfaces.length).toBeGreaterThan(0);
      for (const spec of [...row.args, ...row.flags]) {
        expect(spec.summary).not.toBe('');
        expect(spec.type === 'enum').toBe(spec.values !== undefined);
      }
    }
  });

  it('has examples that work as written', () => {
    for (const row of rows) {
      expect(row.examples.length).toBeGreaterThan(0);
      for (const example of row.examples) {
        const words = tokenize(example.line);
        if (!words.ok) throw new Error(example.line);
        const typed = parseArgv(words.tokens.map((token) => token.text));
        expect(typed.ok ? typed.parsed.command.name : typed.error.message).toBe(row.name);
        if (row.surfaces.includes('bar')) expect(parseLine(example.line)).toEqual(typed);
      }
    }
  });

  it('has objects whose bare word lists and whose name shows', () => {
    for (const object of OBJECTS) {
      expect(objectNamed(object.code)).toBe(object);
      expect(commandNamed(object.list)?.output).toBe('table');
      expect(commandNamed(object.show)?.args[0]?.object).toBe(object.kind);
    }
  });

  it('knows which commands belong to which surface', () => {
    expect(commandsOn('bar').map((row) => row.name)).not.toContain('start');
    expect(commandsOn('cli')).toHaveLength(rows.length);
  });
});
