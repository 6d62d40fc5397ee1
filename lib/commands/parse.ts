import { didYouMean } from '@/lib/commands/distance';
import { commandNamed, GLOBAL_FLAGS, type GlobalValues } from '@/lib/commands/registry';
import { type KnowsObject, resolveCommand } from '@/lib/commands/resolve';
import { type Token, tokenize, tokensOfArgv } from '@/lib/commands/tokens';
import type { ArgValue, CommandSpec, FlagSpec, PositionalSpec, Surface } from '@/lib/commands/types';
import { readValue } from '@/lib/commands/values';

export type ParseErrorCode =
  | 'EMPTY'
  | 'UNCLOSED_QUOTE'
  | 'UNCLOSED_BRACKET'
  | 'UNKNOWN_COMMAND'
  | 'UNKNOWN_FUNCTION'
  | 'NOT_HERE'
  | 'UNKNOWN_FLAG'
  | 'REPEATED_FLAG'
  | 'MISSING_VALUE'
  | 'INVALID_VALUE'
  | 'INVALID_JSON'
  | 'MISSING_ARGUMENT'
  | 'UNEXPECTED_ARGUMENT';

/** What is wrong with a line, and where: offsets into `line` (`end` exclusive; equal when something is missing). */
export interface ParseError {
  readonly code: ParseErrorCode;
  readonly message: string;
  readonly line: string;
  readonly start: number;
  readonly end: number;
  /** The word or words that were probably meant. */
  readonly suggestion?: string;
  /** Name of the argument or flag concerned. */
  readonly argument?: string;
  /** The command, once it was understood. */
  readonly command?: CommandSpec;
}

/** A line that was understood. */
export interface ParsedCommand {
  readonly command: CommandSpec;
  readonly args: Readonly<Record<string, ArgValue>>;
  readonly globals: GlobalValues;
}

export type ParseResult =
  | { readonly ok: true; readonly parsed: ParsedCommand }
  | { readonly ok: false; readonly error: ParseError };

/** What the parser may be told besides the line. */
export interface ParseOptions {
  readonly knows?: KnowsObject;
}

/** Parses the words a shell hands to the program `openconductor`. */
export function parseArgv(argv: readonly string[], options: ParseOptions = {}): ParseResult {
  const { line, tokens } = tokensOfArgv(argv);
  return new Parser(line, tokens, 'cli', options).run();
}

/** Parses a line of the command bar. */
export function parseLine(line: string, options: ParseOptions = {}): ParseResult {
  const cut = tokenize(line);
  if (cut.ok) return new Parser(line, cut.tokens, 'bar', options).run();
  const { code, start, end } = cut.fault;
  const message = code === 'UNCLOSED_QUOTE' ? 'This quote is not closed.' : 'This bracket is not closed.';
  return { ok: false, error: { code, message, line, start, end } };
}

/** Thrown inside the parser only, so that the first error ends it. */
class Stop extends Error {
  constructor(readonly error: ParseError) {
    super(error.message);
  }
}

type Extra = { suggestion?: string | undefined; argument?: string };

class Parser {
  private readonly values: Record<string, ArgValue> = {};
  private readonly globals: Record<string, ArgValue> = {};
  private readonly seen = new Set<string>();
  private command: CommandSpec | undefined;

  constructor(
    private readonly line: string,
    private readonly tokens: readonly Token[],
    private readonly surface: Surface,
    private readonly options: ParseOptions,
  ) {}

  run(): ParseResult {
    try {
      return { ok: true, parsed: this.parse() };
    } catch (error) {
      if (error instanceof Stop) return { ok: false, error: error.error };
      throw error;
    }
  }

  private parse(): ParsedCommand {
    let at = this.leadingFlags();
    if (this.wantsHelp()) return this.helpFor(at);
    const words: Token[] = [];
    for (let token = this.tokens[at]; token !== undefined && !isFlag(token); token = this.tokens[++at])
      words.push(token);
    if (words.length === 0) this.failAt(this.tokens[at], 'EMPTY', 'Say what to do.', { suggestion: 'help' });

    const found = resolveCommand(
      words.map((word) => word.text),
      this.options.knows,
    );
    if (!found.ok)
      this.failAt(words[found.word], found.code, found.message, { suggestion: found.suggestion });
    this.command = found.command;
    if (!found.command.surfaces.includes(this.surface)) {
      const where =
        this.surface === 'bar' ? `in a terminal: openconductor ${found.command.name}` : 'in the command bar';
      this.failAt(words[0], 'NOT_HERE', `"${found.command.name}" can only be given ${where}.`);
    }
    const positionals = [...words.slice(found.words), ...this.flags(found.command, at)];
    const object = found.object === undefined ? undefined : words[found.object];
    if (object !== undefined) positionals.unshift(object);
    this.positionals(found.command, positionals);
    return { command: found.command, args: this.values, globals: this.globals as GlobalValues };
  }

  /** Global flags in front of the command; returns the index of the first other word. */
  private leadingFlags(): number {
    let at = 0;
    for (let token = this.tokens[at]; token !== undefined && isFlag(token); token = this.tokens[at]) {
      const flag = findFlag(GLOBAL_FLAGS, token);
      if (flag === undefined) {
        const name = flagName(token.text);
        const near = didYouMean(
          name,
          GLOBAL_FLAGS.map((known) => known.name),
        );
        this.failAt(
          token,
          'UNKNOWN_FLAG',
          `Give the command first; "${token.text}" is not a flag of every command.`,
          {
            suggestion: near === undefined ? undefined : `--${near}`,
          },
        );
      }
      at = this.takeFlag(flag, at, this.globals);
    }
    return at;
  }

  /** Flags behind the command words; returns the words between and behind them. */
  private flags(command: CommandSpec, from: number): Token[] {
    const own: readonly FlagSpec[] = command.flags;
    const loose: Token[] = [];
    let at = from;
    for (let token = this.tokens[at]; token !== undefined; token = this.tokens[at]) {
      if (token.text === '--' && !token.literal) return [...loose, ...this.tokens.slice(at + 1)];
      if (!isFlag(token)) {
        loose.push(token);
        at++;
        continue;
      }
      const flag = findFlag(own, token);
      const global = flag === undefined ? findFlag(GLOBAL_FLAGS, token) : undefined;
      if (flag !== undefined) at = this.takeFlag(flag, at, this.values);
      else if (global !== undefined) at = this.takeFlag(global, at, this.globals);
      else this.unknownFlag(command, token);
    }
    return loose;
  }

  private unknownFlag(command: CommandSpec, token: Token): never {
    const known = [...command.flags, ...GLOBAL_FLAGS].map((flag) => flag.name);
    const name = flagName(token.text);
    const near = didYouMean(name, known);
    this.failAt(token, 'UNKNOWN_FLAG', `"${command.name}" has no flag ${token.text.split('=')[0]}.`, {
      argument: name,
      suggestion: near === undefined ? undefined : `--${near}`,
    });
  }

  /** Reads the flag at `at` with its value; returns the index behind it. */
  private takeFlag(flag: FlagSpec, at: number, into: Record<string, ArgValue>): number {
    const token = this.tokens[at];
    if (token === undefined) return at;
    const equals = token.text.startsWith('--') ? token.text.indexOf('=') : -1;
    const repeated = this.seen.has(flag.name);
    if (repeated && flag.type !== 'list') {
      this.failAt(token, 'REPEATED_FLAG', `--${flag.name} is given twice.`, { argument: flag.name });
    }
    this.seen.add(flag.name);
    if (equals < 0 && flag.type === 'boolean') {
      into[flag.name] = true;
      return at + 1;
    }
    const next = this.tokens[at + 1];
    if (equals < 0 && (next === undefined || (isFlag(next) && !this.isNumberFor(flag, next)))) {
      this.fail('MISSING_VALUE', `--${flag.name} needs a value: ${flag.summary}`, token.end, token.end, {
        argument: flag.name,
      });
    }
    const place = equals < 0 ? (next ?? token) : token;
    const text = equals < 0 ? place.text : token.text.slice(equals + 1);
    const value = this.value(flag, `--${flag.name}`, text, place);
    const before = into[flag.name];
    into[flag.name] =
      repeated && Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
    return equals < 0 ? at + 2 : at + 1;
  }

  private isNumberFor(flag: FlagSpec, token: Token): boolean {
    return flag.type === 'integer' && /^-\d+$/.test(token.text);
  }

  private positionals(command: CommandSpec, given: readonly Token[]): void {
    const specs: readonly PositionalSpec[] = command.args;
    let used = 0;
    for (const spec of specs) {
      if (spec.rest) {
        const rest = given.slice(used).map((token) => token.text);
        if (rest.length > 0) this.values[spec.name] = rest;
        used = given.length;
        continue;
      }
      const token = given[used];
      if (token === undefined) {
        if (spec.required === false) continue;
        const end = this.line.length;
        this.fail('MISSING_ARGUMENT', `${placeholderOf(spec)} is missing. ${spec.summary}`, end, end, {
          argument: spec.name,
        });
      }
      this.values[spec.name] = this.value(spec, placeholderOf(spec), token.text, token);
      used++;
    }
    const extra = given[used];
    if (extra !== undefined) {
      const quoted = specs.length > 0 ? ' Put text with spaces in quotes.' : '';
      this.failAt(
        extra,
        'UNEXPECTED_ARGUMENT',
        `"${command.name}" does not expect "${extra.text}".${quoted}`,
      );
    }
  }

  private value(spec: FlagSpec | PositionalSpec, label: string, text: string, place: Token): ArgValue {
    const read = readValue(spec, text);
    if (read.ok) return read.value;
    const extra = { argument: spec.name, suggestion: read.suggestion };
    const message = `${label} ${read.message}.`;
    if (read.jsonOffset === undefined) this.failAt(place, 'INVALID_VALUE', message, extra);
    // Quoting may have changed the text; only where it stands in the line as it is can the place be shown.
    const at = this.line.slice(place.start, place.end).indexOf(text);
    if (at < 0) this.failAt(place, 'INVALID_JSON', message, extra);
    const start = place.start + at + read.jsonOffset;
    this.fail('INVALID_JSON', message, start, Math.min(start + 1, place.end), extra);
  }

  private wantsHelp(): boolean {
    const end = this.tokens.findIndex((token) => token.text === '--' && !token.literal);
    const flags = end < 0 ? this.tokens : this.tokens.slice(0, end);
    return flags.some((token) => !token.literal && (token.text === '--help' || token.text === '-h'));
  }

  /** `--help` anywhere turns the line into `help` for its command words. */
  private helpFor(from: number): ParsedCommand {
    const words: string[] = [];
    for (const token of this.tokens.slice(from)) {
      if (isFlag(token)) break;
      words.push(token.text);
    }
    const command = commandNamed('help');
    if (command === undefined) throw new Error('The registry has no help command.');
    const found = words.length === 0 ? undefined : resolveCommand(words, this.options.knows);
    const alone = words.length === 1;
    const topic = found?.ok && !alone ? found.command.name.split(' ') : words.slice(0, 2);
    return { command, args: topic.length === 0 ? {} : { topic }, globals: this.globals as GlobalValues };
  }

  private failAt(token: Token | undefined, code: ParseErrorCode, message: string, extra: Extra = {}): never {
    const end = this.line.length;
    this.fail(code, message, token?.start ?? end, token?.end ?? end, extra);
  }

  private fail(code: ParseErrorCode, message: string, start: number, end: number, extra: Extra): never {
    const { suggestion, argument } = extra;
    throw new Stop({
      code,
      message,
      line: this.line,
      start,
      end,
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(argument === undefined ? {} : { argument }),
      ...(this.command === undefined ? {} : { command: this.command }),
    });
  }
}

/** The word for an argument in usage lines. */
export function placeholderOf(spec: FlagSpec | PositionalSpec): string {
  return spec.placeholder ?? spec.name.toUpperCase();
}

function isFlag(token: Token): boolean {
  return !token.literal && token.text.length > 1 && token.text.startsWith('-');
}

function flagName(text: string): string {
  return text.replace(/^--?/, '').split('=')[0] ?? '';
}

function findFlag(flags: readonly FlagSpec[], token: Token): FlagSpec | undefined {
  const name = flagName(token.text);
  return token.text.startsWith('--')
    ? flags.find((flag) => flag.name === name)
    : flags.find((flag) => flag.short === token.text.slice(1));
}
