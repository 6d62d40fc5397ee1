import { compileExpression, type Expression, type Lookup } from '@/lib/engine/expression/compile-expression';
import { toJson, toText } from '@/lib/engine/expression/values';
import { AppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';

/** A JSON value with expressions in its strings, ready to be filled in. */
export interface Template {
  /** True when there is no expression inside: `fill` gives the same value every time. */
  constant: boolean;
  /** Every expression inside, with the JSON pointer of the string that holds it (relative to the template). */
  expressions: readonly { pointer: string; expression: Expression }[];
  /** Throws AppError EXPRESSION_FAILED, with `path` = pointer of the string at fault. */
  fill(lookup: Lookup, now: number): Json;
}

/** One piece of a string: plain text, or the source of an expression. */
export type Piece = { text: string } | { source: string };

/** Cuts a string at its `${ … }`. Braces and quotes inside an expression are respected; `$${` is a literal `${`. */
export function splitTemplate(source: string): Piece[] {
  const pieces: Piece[] = [];
  let text = '';
  let at = 0;
  while (at < source.length) {
    const next = source.indexOf('${', at);
    if (next < 0) break;
    if (source[next - 1] === '$' && next > at) {
      text += `${source.slice(at, next - 1)}\${`;
      at = next + 2;
      continue;
    }
    text += source.slice(at, next);
    const end = closingBrace(source, next + 2);
    if (end < 0)
      throw new AppError('EXPRESSION_INVALID', `A \${ is never closed (in ${source.slice(0, 120)}).`);
    if (text !== '') pieces.push({ text });
    text = '';
    pieces.push({ source: source.slice(next + 2, end).trim() });
    at = end + 1;
  }
  text += source.slice(at);
  if (text !== '' || pieces.length === 0) pieces.push({ text });
  return pieces;
}

function closingBrace(source: string, from: number): number {
  let depth = 0;
  let quote = '';
  for (let i = from; i < source.length; i++) {
    const char = source[i] as string;
    if (quote !== '') {
      if (char === '\\') i++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '{') depth++;
    else if (char === '}') {
      if (depth === 0) return i;
      depth--;
    }
  }
  return -1;
}

/** An expression written with or without `${ }` around it (conditions, loop items). */
export function bareExpression(source: string): string {
  const pieces = source.includes('${') ? splitTemplate(source) : [];
  const only = pieces[0];
  return pieces.length === 1 && only !== undefined && 'source' in only ? only.source : source;
}

type Fill = (lookup: Lookup, now: number) => Json;

/** Prepares a template. Throws AppError EXPRESSION_INVALID with `path` = pointer of the string at fault. */
export function compileTemplate(value: Json): Template {
  const expressions: { pointer: string; expression: Expression }[] = [];
  const fill = build(value, '', expressions);
  return { constant: expressions.length === 0 && fill === null, expressions, fill: fill ?? (() => value) };
}

/** Null when nothing inside changes: the value is shared, never copied. */
function build(
  value: Json,
  pointer: string,
  found: { pointer: string; expression: Expression }[],
): Fill | null {
  if (typeof value === 'string') return value.includes('${') ? buildString(value, pointer, found) : null;
  if (Array.isArray(value)) {
    const parts = value.map((item, i) => build(item, `${pointer}/${i}`, found));
    if (parts.every((part) => part === null)) return null;
    return (lookup, now) => parts.map((part, i) => (part === null ? (value[i] as Json) : part(lookup, now)));
  }
  if (value === null || typeof value !== 'object') return null;
  const keys = Object.keys(value);
  const parts = keys.map((key) =>
    build(value[key] as Json, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, found),
  );
  if (parts.every((part) => part === null)) return null;
  return (lookup, now) => {
    const out: { [key: string]: Json } = {};
    keys.forEach((key, i) => {
      const part = parts[i];
      out[key] = part == null ? (value[key] as Json) : part(lookup, now);
    });
    return out;
  };
}

function buildString(
  source: string,
  pointer: string,
  found: { pointer: string; expression: Expression }[],
): Fill {
  const at = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      if (error instanceof AppError && error.path === undefined) {
        throw new AppError(error.code, error.message, { path: pointer, details: error.details });
      }
      throw error;
    }
  };
  const pieces = at(() => splitTemplate(source)).map((piece) => {
    if ('text' in piece) return piece.text;
    const expression = at(() => compileExpression(piece.source));
    found.push({ pointer, expression });
    return expression;
  });
  const only = pieces[0];
  if (pieces.length === 1 && only !== undefined) {
    return typeof only === 'string' ? () => only : (lookup, now) => at(() => toJson(only.run(lookup, now)));
  }
  return (lookup, now) =>
    at(() =>
      pieces.map((piece) => (typeof piece === 'string' ? piece : toText(piece.run(lookup, now)))).join(''),
    );
}
