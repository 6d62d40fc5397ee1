import { EXIT_CODES, globalHelp, objectRows, usageOf } from '@/lib/commands/help';
import { placeholderOf } from '@/lib/commands/parse';
import { COMMANDS, GLOBAL_FLAGS } from '@/lib/commands/registry';
import type { CommandSpec, FlagSpec } from '@/lib/commands/types';

/** The text of docs/cli.md. `scripts/generate-cli-docs.ts` writes it; a test compares. */
export function cliDocs(): string {
  const rows = COMMANDS as readonly CommandSpec[];
  const parts = [
    '<!-- Generated from lib/commands by `node scripts/run-ts.mjs scripts/generate-cli-docs.ts`. Edit the rows there. -->',
    '# The command line',
    INTRO,
    fence(globalHelp('cli')),
    '## Writing a line',
    GRAMMAR,
    table(
      ['Code', 'Words', 'Alone', 'With a name'],
      objectRows().map((row) => [row.code, row.words, `\`${row.list}\``, `\`${row.show}\``]),
    ),
    '## Flags of every command',
    flagTable(GLOBAL_FLAGS),
    '## Exit codes',
    table(
      ['Code', 'Meaning'],
      EXIT_CODES.map((row) => [String(row.code), row.means]),
    ),
    '## Commands',
    ...rows.flatMap(commandSection),
  ];
  return `${parts.join('\n\n')}\n`;
}

const INTRO = [
  '`npm run oc -- …` in the repository, or `openconductor …` when the package is linked. The program talks to a running instance over',
  'REST: the first of `--url`, `--profile`, `OPENCONDUCTOR_URL`, `OPENCONDUCTOR_PROFILE`, the profile in use (`profile use`), the instance',
  'started in this repository (`.openconductor/run/instance.json`), `HOST` and `PORT` (`http://127.0.0.1:3000`). The API key is that of',
  'the profile, else `OPENCONDUCTOR_API_KEY`.',
].join('\n');

const GRAMMAR = [
  'A line is `<OBJECT> <FUNCTION> [ARGUMENTS] [FLAGS]` or starts with a verb. The command bar of the screen reads the same lines. Words may be',
  'turned round (`list runs`), a code stands for its command (`EVT …`), and a thing can come first (`memory CALL read_graph`).',
  '',
  '- A flag is `--name value`, `--name=value` or `-n value`; a list is split by commas or given by repeating the flag.',
  '- `--` ends the flags.',
  '- In the command bar `\'…\'` and `"…"` quote text, and JSON that begins with `{` or `[` needs no quotes.',
  '- `--input` takes JSON, `@file`, or `-` for standard input. Durations are `500ms`, `30s`, `5m`, `2h`, `7d`.',
  '- `--json` prints one JSON object a line: rows of a list, events as they come, a run as the last line. Errors are then JSON on standard error.',
].join('\n');

function commandSection(command: CommandSpec): string[] {
  const args = command.args.map((spec) => [`\`${placeholderOf(spec)}\``, spec.summary]);
  return [
    `### ${command.name}`,
    `\`${command.code}\` · role ${command.role}${command.surfaces.includes('bar') ? ' · also in the command bar' : ''}`,
    fence(usageOf(command, 'cli')),
    `${command.summary}. ${command.help}`,
    ...(args.length === 0 ? [] : [table(['Argument', 'Meaning'], args)]),
    ...(command.flags.length === 0 ? [] : [flagTable(command.flags)]),
    fence(
      command.examples.map((example) => `# ${example.does}\nopenconductor ${example.line}`).join('\n'),
      'sh',
    ),
  ];
}

function flagTable(flags: readonly FlagSpec[]): string {
  const rows = flags.map((flag) => {
    const short = flag.short === undefined ? '' : `\`-${flag.short}\`, `;
    const value = flag.type === 'boolean' ? '' : ` ${flag.type === 'enum' ? 'WORD' : placeholderOf(flag)}`;
    const words = flag.values === undefined ? '' : ` One of ${flag.values.join(', ')}.`;
    return [`${short}\`--${flag.name}${value}\``, flag.summary + words];
  });
  return table(['Flag', 'Meaning'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function fence(text: string, language = ''): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}
