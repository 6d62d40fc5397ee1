import { formatArgv } from '@/lib/commands/format';
import { type ParsedCommand, parseArgv } from '@/lib/commands/parse';
import type { CommandName, GlobalValues } from '@/lib/commands/registry';
import { ApiClient, Interrupted } from '@/server/cli/api-client';
import { findTarget } from '@/server/cli/base-url';
import { badInput, EXIT, fromParseError, toCliError } from '@/server/cli/cli-error';
import { COMPLETE_WORD, completionLines } from '@/server/cli/completion-commands';
import type { CliContext } from '@/server/cli/context';
import { HANDLERS, type Handler } from '@/server/cli/handlers';
import type { InputSource } from '@/server/cli/input';
import { type Format, formatOf, Output, type Sink } from '@/server/cli/output';
import { readProfiles } from '@/server/cli/profiles';
import type { Screen } from '@/server/cli/screen';
import type { CliEnvironment } from '@/server/config/cli-environment';

/** Everything the program takes from its process. */
export interface CliProcess {
  argv: readonly string[];
  out: Sink;
  err: Sink;
  input: InputSource;
  /** Aborted by Ctrl-C. */
  interrupt: AbortSignal;
  /** Told what must be over before the program ends, also when it is told to end. */
  endAfter?: (work: Promise<unknown>) => void;
  readEnvironment: () => CliEnvironment;
  root: string | undefined;
  /** Puts a question to the person at the terminal. */
  ask: (question: string) => Promise<string>;
  /** The same, without showing what is typed. */
  askSecret?: (question: string) => Promise<string>;
  /** The terminal as a screen, when there is one. */
  screen?: Screen | undefined;
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
      const words = cli.argv.slice(1);
      const api = clientOf(flagsIn(words), env, cli);
      const profiles = async () => Object.keys((await readProfiles(env.configDir)).profiles);
      for (const line of await completionLines(words, api, profiles)) output.text(line);
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
  const { globals } = parsed;
  return {
    api: clientOf(globals, env, cli),
    output,
    input: cli.input,
    globals,
    interrupt: cli.interrupt,
    endAfter: cli.endAfter ?? (() => undefined),
    root: cli.root,
    baseUrl: async () => (await findTarget(globals, env, cli.root)).url,
    askSecret: cli.askSecret ?? cli.ask,
    configDir: env.configDir,
    screen: env.dumb ? undefined : cli.screen,
    interactive: cli.input.stdinIsTTY && cli.err.isTTY,
    confirm: async (question) => /^y(es)?$/i.test((await cli.ask(`${question} [y/N] `)).trim()),
  };
}

function clientOf(flags: GlobalValues, env: CliEnvironment, cli: CliProcess): ApiClient {
  return new ApiClient(() => findTarget(flags, env, cli.root), cli.interrupt);
}

/** The instance that a half-typed line names. */
function flagsIn(words: readonly string[]): GlobalValues {
  const given = (name: string) => {
    const at = words.indexOf(`--${name}`);
    const joined = words.find((word) => word.startsWith(`--${name}=`));
    return joined?.slice(name.length + 3) ?? (at < 0 || at >= words.length - 1 ? undefined : words[at + 1]);
  };
  const [url, profile] = [given('url'), given('profile')];
  return { ...(url === undefined ? {} : { url }), ...(profile === undefined ? {} : { profile }) };
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
