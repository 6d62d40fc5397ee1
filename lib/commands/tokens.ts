/** One word of a command line. `start` and `end` are offsets into the line (`end` is exclusive). */
export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** True when the word began with a quote: then it is never read as a flag. */
  readonly literal: boolean;
}

/** Why a line could not be cut into words. */
export interface TokenFault {
  readonly code: 'UNCLOSED_QUOTE' | 'UNCLOSED_BRACKET';
  readonly start: number;
  readonly end: number;
}

export type Tokens =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly fault: TokenFault };

const SPACE = /\s/;
const VALUE_START = /^--?[A-Za-z][\w-]*=$/;

/**
 * Cuts a line of the command bar into words.
 *
 * Words are split by white space. `'…'` is taken literally; in `"…"` a backslash stands before `"` or `\`.
 * A word, or the value after `--flag=`, that begins with `{` or `[` runs to its matching bracket, so that
 * JSON needs no quotes. A backslash outside quotes is an ordinary character.
 */
export function tokenize(line: string): Tokens {
  const tokens: Token[] = [];
  let at = 0;
  while (at < line.length) {
    if (SPACE.test(line.charAt(at))) {
      at++;
      continue;
    }
    const start = at;
    const literal = line[at] === "'" || line[at] === '"';
    let text = '';
    while (at < line.length && !SPACE.test(line.charAt(at))) {
      const char = line.charAt(at);
      if (char === "'" || char === '"') {
        const quoted = readQuoted(line, at);
        if (quoted === null)
          return { ok: false, fault: { code: 'UNCLOSED_QUOTE', start: at, end: line.length } };
        text += quoted.text;
        at = quoted.end;
      } else if ((char === '{' || char === '[') && (text === '' || VALUE_START.test(text))) {
        const end = endOfBrackets(line, at);
        if (end === null)
          return { ok: false, fault: { code: 'UNCLOSED_BRACKET', start: at, end: line.length } };
        text += line.slice(at, end);
        at = end;
      } else {
        text += char;
        at++;
      }
    }
    tokens.push({ text, start, end: at, literal });
  }
  return { ok: true, tokens };
}

/** Words that a shell has already cut (argv), with their places in the line that `quoteWord` would write. */
export function tokensOfArgv(argv: readonly string[]): { line: string; tokens: readonly Token[] } {
  const tokens: Token[] = [];
  let line = '';
  for (const text of argv) {
    if (line !== '') line += ' ';
    const start = line.length;
    line += quoteWord(text);
    tokens.push({ text, start, end: line.length, literal: false });
  }
  return { line, tokens };
}

const PLAIN = /^[\w\-.,:/@=+%|]+$/;
const FLAG_WITH_VALUE = /^(--[A-Za-z][\w-]*=)(.*)$/s;

/** Writes a word so that `tokenize` (and a POSIX shell) reads it back unchanged. */
export function quoteWord(text: string): string {
  if (PLAIN.test(text)) return text;
  const flag = FLAG_WITH_VALUE.exec(text);
  if (flag?.[1] !== undefined && flag[2] !== undefined) return flag[1] + quote(flag[2]);
  return quote(text);
}

function quote(text: string): string {
  if (!text.includes("'")) return `'${text}'`;
  return text
    .split("'")
    .map((part) => (part === '' ? '' : `'${part}'`))
    .join(`"'"`);
}

function readQuoted(line: string, start: number): { text: string; end: number } | null {
  const mark = line.charAt(start);
  let text = '';
  for (let at = start + 1; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === mark) return { text, end: at + 1 };
    const next = line[at + 1];
    if (mark === '"' && char === '\\' && (next === '"' || next === '\\')) {
      text += next;
      at++;
    } else {
      text += char;
    }
  }
  return null;
}

/** Offset behind the bracket that closes the one at `start`; brackets inside JSON strings do not count. */
function endOfBrackets(line: string, start: number): number | null {
  let depth = 0;
  let inString = false;
  for (let at = start; at < line.length; at++) {
    const char = line.charAt(at);
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return null;
}
