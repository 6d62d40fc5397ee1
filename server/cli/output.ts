import type { GlobalValues } from '@/lib/commands/registry';
import type { CliError } from '@/server/cli/cli-error';
import { clean, cleanLines, type Paint, paintAnsi, paintNothing, type Tone } from '@/server/cli/style';
import { type Column, csvText, tableLines } from '@/server/cli/table';

/** Where output goes; a terminal says so and knows its width. */
export interface Sink {
  write(text: string): void;
  isTTY: boolean;
  columns: number;
}

export type Format = 'table' | 'json' | 'jsonl' | 'yaml' | 'csv';

/** The form of the answer that the global flags ask for. */
export function formatOf(globals: GlobalValues): Format {
  return globals.json ? 'jsonl' : (globals.output ?? 'table');
}

/**
 * What a command prints. Answers go to standard output in the form asked for. Notes for people go with them in
 * `table` form and to standard error otherwise, so that a program reads nothing but data.
 */
export class Output {
  readonly paint: Paint;
  private readonly paintError: Paint;
  private hasHeading = false;
  /** Called before anything is said: what is drawn on the terminal has to make room. */
  interlude: (() => void) | undefined;

  constructor(
    private readonly out: Sink,
    private readonly err: Sink,
    readonly format: Format,
    colour: boolean,
  ) {
    this.paint = colour && out.isTTY ? paintAnsi : paintNothing;
    this.paintError = colour && err.isTTY ? paintAnsi : paintNothing;
  }

  /** True when people read standard output. */
  get forPeople(): boolean {
    return this.format === 'table';
  }

  /** One line for people, already cleaned and painted. */
  line(text = ''): void {
    if (!this.forPeople) return;
    this.interlude?.();
    this.out.write(`${text}\n`);
  }

  /** Text as it is, in every form: help and the like. */
  text(text: string): void {
    this.out.write(`${text}\n`);
  }

  /** Something said on the way: `✓ …`, `⚠ …`. Programs get warnings only, as JSON on standard error. */
  note(tone: Tone, glyph: string, text: string, detail = ''): void {
    const tail = detail === '' ? '' : `  ${detail}`;
    this.interlude?.();
    if (this.forPeople)
      this.out.write(
        `${this.paint(tone, glyph)} ${tail === '' ? clean(text) : clean(text).padEnd(20)}${clean(tail)}\n`,
      );
    else if (this.format === 'jsonl') {
      if (tone === 'warn')
        this.err.write(`${json({ warning: text, ...(detail === '' ? {} : { detail }) })}\n`);
    } else this.err.write(`${this.paintError(tone, glyph)} ${clean(text)}${clean(tail)}\n`);
  }

  /** One JSON object on a line: events as they come. Only in the `--json` form. */
  jsonLine(value: unknown): void {
    if (this.format === 'jsonl') this.out.write(`${json(value)}\n`);
  }

  /**
   * Rows. `document` is the whole answer for JSON and YAML; `empty` is said to people when there is nothing.
   */
  async list<T>(
    rows: readonly T[],
    columns: readonly Column<T>[],
    document: unknown,
    empty: string,
  ): Promise<void> {
    if (this.format === 'csv') this.out.write(csvText(rows, columns));
    else if (this.format === 'jsonl') for (const row of rows) this.jsonLine(row);
    else if (this.format !== 'table') await this.document(document);
    else if (rows.length === 0) this.line(this.paint('dim', empty));
    else
      for (const line of tableLines(rows, columns, this.paint, this.out.isTTY ? this.out.columns : 0))
        this.line(line);
  }

  /** One thing: the whole of it for programs, `people` for people, `columns` over `rows` for CSV. */
  async record<T>(
    value: unknown,
    people: () => void,
    rows: readonly T[],
    columns: readonly Column<T>[],
  ): Promise<void> {
    if (this.format === 'table') people();
    else if (this.format === 'jsonl') this.jsonLine(value);
    else if (this.format === 'csv') this.out.write(csvText(rows, columns));
    else await this.document(value);
  }

  /** One of the things that come one after another for as long as the command runs, for programs: a line or document each. */
  async streamed<T>(row: T, columns: readonly Column<T>[]): Promise<void> {
    if (this.format === 'json' || this.format === 'jsonl') this.out.write(`${json(row)}\n`);
    else if (this.format === 'csv') {
      const [heading = '', ...lines] = csvText([row], columns).split(/(?<=\r\n)/);
      this.out.write(`${this.hasHeading ? '' : heading}${lines.join('')}`);
      this.hasHeading = true;
    } else if (this.format === 'yaml') {
      this.out.write('---\n');
      await this.document(row);
    }
  }

  /** Rows inside a record, for people. */
  table<T>(rows: readonly T[], columns: readonly Column<T>[]): void {
    if (rows.length === 0) return;
    for (const line of tableLines(rows, columns, this.paint, this.out.isTTY ? this.out.columns : 0))
      this.line(line);
  }

  /** A JSON value for people: indented; a text of several lines as it is. */
  value(value: unknown): void {
    this.line(typeof value === 'string' ? cleanLines(value) : json(value, 2));
  }

  /** An error: for people code, message, place and next step; with --json one JSON object. */
  error(error: CliError): void {
    const { path, next, problems, excerpt, requestId } = error.details;
    if (this.format === 'jsonl') {
      const body = {
        code: error.code,
        message: error.message,
        exit: error.exit,
        path,
        next,
        problems,
        requestId,
      };
      this.err.write(`${json({ error: body })}\n`);
      return;
    }
    const paint = this.paintError;
    this.err.write(`${paint('danger', '✕')} ${paint('bold', clean(error.code))}  ${clean(error.message)}\n`);
    for (const line of excerpt ?? []) this.err.write(`  ${clean(line)}\n`);
    if (path !== undefined) this.err.write(`  at    ${clean(path)}\n`);
    for (const problem of (problems ?? []).slice(0, 20))
      this.err.write(`  - ${clean(problemText(problem))}\n`);
    if (next !== undefined) this.err.write(`  next  ${clean(next)}\n`);
    if (requestId !== undefined && error.exit === 3) this.err.write(`  request ${clean(requestId)}\n`);
  }

  private async document(value: unknown): Promise<void> {
    if (this.format === 'json') {
      this.out.write(`${json(value, 2)}\n`);
      return;
    }
    const { stringify } = await import('yaml');
    this.out.write(cleanLines(stringify(value, { lineWidth: 0 })));
  }
}

/** JSON text without raw control characters of the C1 range, which some terminals obey. */
function json(value: unknown, indent?: number): string {
  return (JSON.stringify(value, null, indent) ?? 'null').replace(/[\u007f-\u009f]/g, (char) => clean(char));
}

function problemText(problem: unknown): string {
  if (typeof problem !== 'object' || problem === null) return String(problem);
  const { path, pointer, message, fix } = problem as Record<string, unknown>;
  const place = path ?? pointer;
  const text = `${place === undefined ? '' : `${String(place)}: `}${String(message ?? JSON.stringify(problem))}`;
  return fix === undefined ? text : `${text} ${String(fix)}`;
}
