import { didYouMean } from '@/lib/commands/distance';
import { parseJsonText } from '@/lib/commands/json-text';
import type { ArgValue, FlagSpec, JsonSource, PositionalSpec } from '@/lib/commands/types';
import type { Json } from '@/lib/shared/json';

/** A value that was read, or what is wrong with it and what may have been meant. */
export type ReadValue =
  | { readonly ok: true; readonly value: ArgValue }
  | {
      readonly ok: false;
      readonly message: string;
      readonly suggestion?: string;
      /** For broken JSON: offset of the first wrong character in the text. */
      readonly jsonOffset?: number;
    };

type AnySpec = FlagSpec | PositionalSpec;

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Reads the text of one argument as its type wants it. `boolean` here is the value of `--flag=true|false`. */
export function readValue(spec: AnySpec, text: string): ReadValue {
  switch (spec.type) {
    case 'string':
      return text === '' ? { ok: false, message: 'must not be empty' } : { ok: true, value: text };
    case 'integer':
      return readInteger(spec, text);
    case 'boolean':
      return text === 'true' || text === 'false'
        ? { ok: true, value: text === 'true' }
        : { ok: false, message: 'is a switch: give it alone, or as =true or =false' };
    case 'json':
      return readJson(text);
    case 'json-or-file':
      return readJsonOrFile(text);
    case 'list':
      return readList(text);
    case 'enum':
      return readEnum(spec, text);
    case 'duration':
      return readDuration(spec, text);
  }
}

/** The text that `readValue` reads back as `value`. */
export function formatValue(spec: AnySpec, value: ArgValue): string {
  switch (spec.type) {
    case 'duration':
      return `${String(value)}ms`;
    case 'json':
      return JSON.stringify(value);
    case 'json-or-file': {
      const source = value as JsonSource;
      if (source.from === 'stdin') return '-';
      return source.from === 'file' ? `@${source.path}` : JSON.stringify(source.value);
    }
    case 'list':
      return (value as readonly string[]).join(',');
    default:
      return String(value);
  }
}

function readInteger(spec: AnySpec, text: string): ReadValue {
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    return { ok: false, message: `must be a whole number, not "${short(text)}"` };
  }
  return bounds(spec, value, String) ?? { ok: true, value };
}

function readDuration(spec: AnySpec, text: string): ReadValue {
  const match = DURATION.exec(text);
  if (match === null) {
    const number = /^\d+$/.test(text);
    return {
      ok: false,
      message: `must be a duration such as 500ms, 30s, 5m, 2h or 7d, not "${short(text)}"`,
      ...(number ? { suggestion: `${text}s` } : {}),
    };
  }
  const value = Math.round(Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0));
  if (!Number.isSafeInteger(value)) return { ok: false, message: 'is too long' };
  return bounds(spec, value, (ms) => `${ms}ms`) ?? { ok: true, value };
}

function bounds(spec: AnySpec, value: number, write: (n: number) => string): ReadValue | null {
  if (spec.min !== undefined && value < spec.min)
    return { ok: false, message: `must be at least ${write(spec.min)}` };
  if (spec.max !== undefined && value > spec.max)
    return { ok: false, message: `must be at most ${write(spec.max)}` };
  return null;
}

function readJson(text: string): ReadValue {
  const read = parseJsonText(text);
  if (read.ok) return { ok: true, value: read.value };
  const lost = /^\{\s*\w/.test(text)
    ? ' (some shells eat double quotes: put the JSON in a file and write @file)'
    : '';
  return {
    ok: false,
    message: `is not JSON: ${read.message}, at line ${read.line}, column ${read.column}${lost}`,
    jsonOffset: read.offset,
  };
}

function readJsonOrFile(text: string): ReadValue {
  if (text === '-') return { ok: true, value: { from: 'stdin' } };
  if (text.startsWith('@')) {
    const path = text.slice(1);
    return path === ''
      ? { ok: false, message: 'names no file after the @' }
      : { ok: true, value: { from: 'file', path } };
  }
  const read = readJson(text);
  return read.ok ? { ok: true, value: { from: 'inline', value: read.value as Json } } : read;
}

function readList(text: string): ReadValue {
  const items = text.split(',').map((item) => item.trim());
  return items.includes('')
    ? { ok: false, message: 'has an empty entry: write names split by commas' }
    : { ok: true, value: items };
}

function readEnum(spec: AnySpec, text: string): ReadValue {
  const values = spec.values ?? [];
  const wanted = text.toLowerCase().replaceAll('-', '_');
  const value = values.find((known) => known === text || known === wanted);
  if (value !== undefined) return { ok: true, value };
  const suggestion = didYouMean(wanted, values);
  return {
    ok: false,
    message: `must be one of ${values.join(', ')}, not "${short(text)}"`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
