import type { ParseError } from '@/lib/commands/parse';
import {
  ERROR_CATALOGUE,
  type ErrorCode,
  isAppError,
  type Problem,
  problemSchema,
} from '@/lib/protocol/errors';

/** Exit codes; lib/commands/help.ts explains them to users. */
export const EXIT = { ok: 0, failed: 1, badInput: 2, unreachable: 3, interrupted: 130 } as const;

/** What is known of an error besides its code and message. */
export interface CliErrorOptions {
  exit: number;
  /** Field or place: a JSON pointer, or the name of an argument. */
  path?: string | undefined;
  next?: string | undefined;
  /** Further findings, printed one a line. */
  problems?: readonly unknown[] | undefined;
  /** Lines that show the place (the command line or a piece of JSON, with a marker under it). */
  excerpt?: readonly string[] | undefined;
  retriable?: boolean | undefined;
  requestId?: string | undefined;
  cause?: unknown;
}

/** An error of the command line: carries its exit code and everything that is printed. */
export class CliError extends Error {
  readonly exit: number;
  readonly details: CliErrorOptions;

  constructor(
    readonly code: string,
    message: string,
    options: CliErrorOptions,
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CliError';
    this.exit = options.exit;
    this.details = options;
  }
}

/** Bad input found before anything was sent. */
export function badInput(code: ErrorCode, message: string, options: Partial<CliErrorOptions> = {}): CliError {
  return new CliError(code, message, { next: ERROR_CATALOGUE[code].next, ...options, exit: EXIT.badInput });
}

/** The server's refusal: 4xx is bad input, 5xx is a failure of the server. */
export function fromProblem(problem: Problem): CliError {
  return new CliError(problem.code, problem.detail, {
    exit: problem.status >= 500 ? EXIT.unreachable : EXIT.badInput,
    path: problem.path,
    next: problem.next,
    problems: problem.problems,
    retriable: problem.retriable,
    requestId: problem.requestId,
  });
}

/** A line that the parser did not understand, with the place marked. */
export function fromParseError(error: ParseError): CliError {
  const prefix = 'openconductor ';
  const help = error.command === undefined ? 'help' : `help ${error.command.name}`;
  const suggestion = error.suggestion === undefined ? '' : `Did you mean ${error.suggestion}? `;
  return new CliError(error.code, error.message, {
    exit: EXIT.badInput,
    path: error.argument,
    next: `${suggestion}See: ${prefix}${help}`,
    excerpt: markPlace(prefix + error.line, prefix.length + error.start, prefix.length + error.end),
  });
}

/** Anything thrown as a CliError. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (isAppError(error)) {
    // What a server refused: its own words, and its code even when this version does not know it.
    const problem = problemSchema.safeParse(error.cause);
    if (problem.success) return fromProblem(problem.data);
    const exit = error.entry.httpStatus >= 500 ? EXIT.failed : EXIT.badInput;
    return new CliError(error.code, error.message, {
      exit,
      path: error.path,
      next: error.entry.next,
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new CliError('INTERNAL', message, {
    exit: EXIT.failed,
    next: ERROR_CATALOGUE.INTERNAL.next,
    cause: error,
  });
}

/** Most characters of a line that are shown around a place. */
const EXCERPT = 96;

/** A line and, under it, a marker from `start` to `end`; long lines are cut around the place. */
export function markPlace(line: string, start: number, end: number): string[] {
  const from = Math.max(0, Math.min(start - EXCERPT / 2, line.length - EXCERPT));
  const shown = line.slice(from, from + EXCERPT).replace(/\s/g, ' ');
  const before = from > 0 ? '…' : '';
  const after = from + EXCERPT < line.length ? '…' : '';
  const at = start - from + before.length;
  const width = Math.max(1, Math.min(end, from + EXCERPT) - start);
  return [before + shown + after, ' '.repeat(at) + '^'.repeat(width)];
}
