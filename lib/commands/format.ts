import { GLOBAL_FLAGS, type GlobalValues, objectNamed } from '@/lib/commands/registry';
import { quoteWord } from '@/lib/commands/tokens';
import type { ArgValue, CommandSpec, FlagSpec, PositionalSpec } from '@/lib/commands/types';
import { formatValue } from '@/lib/commands/values';

/**
 * The words that the parser reads back as this command with these arguments: flags first, then positionals,
 * behind `--` when one of them looks like a flag or like an object word (`help run`).
 */
export function formatArgv(
  command: CommandSpec,
  args: Readonly<Record<string, ArgValue | undefined>>,
  globals: GlobalValues = {},
): string[] {
  const given: Readonly<Record<string, ArgValue | undefined>> = { ...globals };
  const flags = [...flagWords(command.flags, args), ...flagWords(GLOBAL_FLAGS, given)];
  const words = (command.args as readonly PositionalSpec[]).flatMap((spec) => {
    const value = args[spec.name];
    if (value === undefined) return [];
    return spec.rest ? [...(value as readonly string[])] : [formatValue(spec, value)];
  });
  const first = words[0];
  const flagLike = words.some((word) => word.length > 1 && word.startsWith('-'));
  const objectLike = !command.name.includes(' ') && first !== undefined && objectNamed(first) !== undefined;
  const mark = flagLike || objectLike ? ['--'] : [];
  return [...command.name.split(' '), ...flags, ...mark, ...words];
}

/** The same as one line: for the history of the command bar, for logs, and for a POSIX shell. */
export function formatLine(
  command: CommandSpec,
  args: Readonly<Record<string, ArgValue | undefined>>,
  globals: GlobalValues = {},
): string {
  return formatArgv(command, args, globals).map(quoteWord).join(' ');
}

function flagWords(
  flags: readonly FlagSpec[],
  args: Readonly<Record<string, ArgValue | undefined>>,
): string[] {
  return flags.flatMap((flag) => {
    const value = args[flag.name];
    if (value === undefined) return [];
    if (flag.type === 'boolean') return value === true ? [`--${flag.name}`] : [`--${flag.name}=false`];
    return [`--${flag.name}=${formatValue(flag, value)}`];
  });
}
