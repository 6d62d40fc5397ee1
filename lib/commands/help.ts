import { placeholderOf } from '@/lib/commands/parse';
import { commandsOn, commandWithCode, GLOBAL_FLAGS, OBJECTS, objectNamed } from '@/lib/commands/registry';
import { resolveCommand } from '@/lib/commands/resolve';
import { suggest } from '@/lib/commands/suggest';
import type { CommandSpec, FlagSpec, PositionalSpec, Surface } from '@/lib/commands/types';

/** Exit codes of the program, as help and docs list them. */
export const EXIT_CODES: readonly { code: number; means: string }[] = [
  { code: 0, means: 'It worked. For a run: it completed.' },
  { code: 1, means: 'The run or the command failed, or --timeout ended the waiting.' },
  { code: 2, means: 'Bad input: usage, JSON, an unknown workflow, anything the server refuses as wrong.' },
  { code: 3, means: 'OpenConductor could not be reached, or failed itself.' },
  { code: 130, means: 'You left with Ctrl-C. A run that was being followed goes on.' },
];

/** Widest line of a help text. */
const WIDTH = 100;

/** Help text, or the words that name no command with what may have been meant. */
export type HelpText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string; readonly suggestion?: string };

/** Help for the words after `help`: none gives the overview, an object its functions, else one command. */
export function helpFor(topic: readonly string[], surface: Surface): HelpText {
  if (topic.length === 0) return { ok: true, text: globalHelp(surface) };
  const first = topic[0] ?? '';
  const object = topic.length === 1 ? objectNamed(first) : undefined;
  if (object !== undefined) return { ok: true, text: objectHelp(object.words[0] ?? first, surface) };
  const coded = topic.length === 1 ? commandWithCode(first) : undefined;
  const found = coded === undefined ? resolveCommand(topic) : { ok: true as const, command: coded };
  if (found.ok) return { ok: true, text: commandHelp(found.command, surface) };
  const near = found.suggestion ?? suggest(topic.join(' '), { surface, limit: 1 })[0]?.command.name;
  return { ok: false, message: found.message, ...(near === undefined ? {} : { suggestion: near }) };
}

/** Every command with its code, and how lines are written. */
export function globalHelp(surface: Surface): string {
  const program = surface === 'cli' ? 'openconductor ' : '';
  const lines = ['OpenConductor: run and watch durable workflows over MCP servers.', ''];
  lines.push(`Usage: ${program}<OBJECT> <FUNCTION> [ARGUMENTS] [FLAGS]`);
  lines.push(`       ${program}<VERB> [ARGUMENTS] [FLAGS]`);
  lines.push('', 'Commands:', ...commandRows(commandsOn(surface), surface));
  if (surface === 'cli') {
    lines.push('', 'Flags of every command:', ...flagRows(GLOBAL_FLAGS));
    lines.push('', 'Exit codes:', ...columns(EXIT_CODES.map((row) => [String(row.code), row.means])));
  }
  lines.push(
    '',
    `A code stands for its command: "${program}SRV memory" shows one server, "${program}SRV" lists them.`,
  );
  lines.push(`More: ${program}help COMMAND${surface === 'cli' ? ', or --help behind any command' : ''}.`);
  return lines.join('\n');
}

/** The functions of one object kind (`run`, `workflow`, `server`). */
export function objectHelp(word: string, surface: Surface): string {
  const object = objectNamed(word);
  const rows = commandsOn(surface).filter((row) => row.name.startsWith(`${word} `));
  const program = surface === 'cli' ? 'openconductor ' : '';
  return [
    `${object?.code ?? word}  ${object?.summary ?? word}`,
    '',
    ...commandRows(rows, surface),
    '',
    `Alone, "${program}${word}" is "${object?.list ?? ''}"; followed by a name it is "${object?.show ?? ''}".`,
  ].join('\n');
}

/** Everything about one command. */
export function commandHelp(command: CommandSpec, surface: Surface): string {
  const lines = [`${command.code}  ${command.summary}`, '', `Usage: ${usageOf(command, surface)}`, ''];
  lines.push(...wrap(command.help, WIDTH));
  if (command.args.length > 0) {
    const rows = command.args.map((spec) => [placeholderOf(spec), spec.summary]);
    lines.push('', 'Arguments:', ...columns(rows));
  }
  if (command.flags.length > 0) lines.push('', 'Flags:', ...flagRows(command.flags));
  const program = surface === 'cli' ? 'openconductor ' : '';
  const examples = command.examples.map((example) => [
    `  ${program}${example.line}`,
    `      ${example.does}`,
  ]);
  if (examples.length > 0) lines.push('', 'Examples:', ...examples.flat());
  if (command.aliases !== undefined) lines.push('', `Also: ${command.aliases.join(', ')}`);
  const confirm = command.confirm === undefined ? '' : ' It asks once before it acts; --yes answers.';
  lines.push('', `Needs the role ${command.role}.${confirm}`);
  return lines.join('\n');
}

/** `openconductor run list [FLAGS]`. */
export function usageOf(command: CommandSpec, surface: Surface): string {
  const args = (command.args as readonly PositionalSpec[]).map((spec) =>
    spec.required === false ? `[${placeholderOf(spec)}]` : placeholderOf(spec),
  );
  const program = surface === 'cli' ? ['openconductor'] : [];
  return [...program, command.name, ...args, ...(command.flags.length > 0 ? ['[FLAGS]'] : [])].join(' ');
}

function commandRows(rows: readonly CommandSpec[], surface: Surface): string[] {
  return columns(
    rows.map((row) => [
      row.code,
      usageOf(row, surface).replace('openconductor ', '').replace(' [FLAGS]', ''),
      row.summary,
    ]),
  );
}

function flagRows(flags: readonly FlagSpec[]): string[] {
  return columns(
    flags.map((flag) => {
      const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
      const value = flag.type === 'boolean' ? '' : ` ${flag.type === 'enum' ? 'WORD' : placeholderOf(flag)}`;
      const words = flag.type === 'enum' ? ` One of ${(flag.values ?? []).join(', ')}.` : '';
      return [`${short}--${flag.name}${value}`, flag.summary + words];
    }),
  );
}

/** Rows under each other, each column as wide as its widest cell; the last one wraps. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count - 1 }, (_, i) =>
    Math.max(...rows.map((row) => (row[i] ?? '').length)),
  );
  const indent = 2 + widths.reduce((sum, width) => sum + width + 2, 0);
  return rows.flatMap((row) => {
    const head = widths.map((width, i) => (row[i] ?? '').padEnd(width + 2)).join('');
    const tail = wrap(row[count - 1] ?? '', Math.max(30, WIDTH - indent));
    return tail.map((line, i) => (i === 0 ? `  ${head}${line}` : ' '.repeat(indent) + line).trimEnd());
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Names of the object kinds with their bare words: for docs. */
export function objectRows(): readonly { code: string; words: string; list: string; show: string }[] {
  return OBJECTS.map((row) => ({
    code: row.code,
    words: row.words.join(', '),
    list: row.list,
    show: row.show,
  }));
}
