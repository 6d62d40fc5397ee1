import { formatArgv } from '@/lib/commands/format';
import { type ParsedCommand, parseArgv } from '@/lib/commands/parse';
import type { CommandName } from '@/lib/commands/registry';
import { ApiClient, Interrupted } from '@/server/cli/api-client';
import { findBaseUrl } from '@/server/cli/base-url';
import { badInput, EXIT, fromParseError, toCliError } from '@/server/cli/cli-error';
import { COMPLETE_WORD, completionLines } from '@/server/cli/completion-commands';
import type { CliContext } from '@/server/cli/context';
import { HANDLERS, type Handler } from '@/server/cli/handlers';
import type { InputSource } from '@/server/cli/input';
import { type Format, formatOf, Output, type Sink } from '@/server/cli/output';
import type { CliEnvironment } from '@/server/config/cli-environment';

/** Everything the program takes from its process. */
export interface CliProcess {
  argv: readonly string[];
  out: Sink;
  err: Sink;
  input: InputSource;
  /** Aborted by Ctrl-C. */
  interrupt: AbortSignal;
  readEnvironment: () => CliEnvironment;
  root: string | undefined;
  /** Puts a question to the person at the terminal. */
  ask: (question: string) => Promise<string>;
}

/** Runs one command line. Never throws; returns the exit code. */
export async function runCli(cli: CliProcess): Promise<number> {
  // Until the line is understood, a mere `--json` in it decides how an error is told.
  let output = outputFor(cli, cli.argv.includes('--json') ? 'jsonl' : 'table', false);
  try {
    const env = cli.readEnvironment();
    output = outputFor(
      cli,
      cli.argv.includes('--json') ? 'jsonl' : 'table',
      !env.noColor && !cli.argv.includes('--no-color'),
    );
    if (cli.argv[0] === COMPLETE_WORD) {
      const api = new ApiClient(() => findBaseUrl(undefined, env, cli.root), cli.interrupt);
      for (const line of await completionLines(cli.argv.slice(1), api)) output.text(line);
      return EXIT.ok;
    }
    const result = parseArgv(withDefaults(cli.argv));
    if (!result.ok) throw fromParseError(result.error);
    const { parsed } = result;
    if (parsed.globals.json && parsed.globals.output !== undefined) {
      throw badInput('INVALID_INPUT', '--json and --output contradict each other.', {
        path: '--json',
        next: 'Give one of them.',
      });
    }
    output = outputFor(cli, formatOf(parsed.globals), !env.noColor && !parsed.globals['no-color']);
    return await carryOut(parsed, contextOf(parsed, output, env, cli));
  } catch (error) {
    if (error instanceof Interrupted || cli.interrupt.aborted) return EXIT.interrupted;
    const failure = toCliError(error);
    output.error(failure);
    return failure.exit;
  }
}

async function carryOut(parsed: ParsedCommand, context: CliContext): Promise<number> {
  const { command, args, globals } = parsed;
  if (command.confirm !== undefined && !globals.yes && context.interactive) {
    const line = formatArgv(command, args).join(' ');
    if (!(await context.confirm(`${line}\n${command.confirm}`))) {
      context.output.note('warn', '⚠', 'Nothing was done');
      return EXIT.failed;
    }
  }
  // The parser made `args` from this very row; the table of handlers is typed row by row.
  const handler = HANDLERS[command.name as CommandName] as Handler<typeof args>;
  return handler(args, context);
}

function contextOf(parsed: ParsedCommand, output: Output, env: CliEnvironment, cli: CliProcess): CliContext {
  const baseUrl = () => findBaseUrl(parsed.globals.url, env, cli.root);
  return {
    api: new ApiClient(baseUrl, cli.interrupt),
    output,
    input: cli.input,
    globals: parsed.globals,
    interrupt: cli.interrupt,
    root: cli.root,
    baseUrl,
    interactive: cli.input.stdinIsTTY && cli.err.isTTY,
    confirm: async (question) => /^y(es)?$/i.test((await cli.ask(`${question} [y/N] `)).trim()),
  };
}

function outputFor(cli: CliProcess, format: Format, colour: boolean): Output {
  return new Output(cli.out, cli.err, format, colour);
}

/** What other programs have taught people: nothing at all is help, `--version` is a command. */
function withDefaults(argv: readonly string[]): readonly string[] {
  if (argv.length === 0) return ['help'];
  const first = argv[0];
  return first === '--version' || first === '-V' ? ['version', ...argv.slice(1)] : argv;
}
