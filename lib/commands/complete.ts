import { commandsOn, GLOBAL_FLAGS, OBJECTS } from '@/lib/commands/registry';
import { resolveCommand } from '@/lib/commands/resolve';
import type { CommandSpec, FlagSpec, ObjectKind, PositionalSpec, Surface } from '@/lib/commands/types';

/** One thing that Tab can put in place of the word being typed. */
export interface Candidate {
  readonly text: string;
  readonly summary: string;
}

/** What may stand where the cursor is: fixed words, and the kind of object whose live names also fit. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly object?: ObjectKind;
}

/**
 * What can follow.
 *
 * @param before the finished words in front of the cursor
 * @param current the word under the cursor, maybe empty
 */
export function complete(before: readonly string[], current: string, surface: Surface): Completion {
  const rows = commandsOn(surface);
  const words = leadingWords(before);
  const pending = commandWords(rows, words);
  if (words.length === before.length && pending.length > 0) return startingWith(pending, current);

  const found = resolveCommand(words);
  if (!found.ok) return { candidates: [] };
  const flags: readonly FlagSpec[] = [...found.command.flags, ...(surface === 'cli' ? GLOBAL_FLAGS : [])];
  const equals = current.startsWith('--') ? current.indexOf('=') : -1;
  if (equals > 0)
    return valuesOf(
      flagOf(flags, current.slice(0, equals)),
      current.slice(equals + 1),
      current.slice(0, equals + 1),
    );
  const last = flagOf(flags, before.at(-1));
  if (last !== undefined && last.type !== 'boolean') return valuesOf(last, current, '');
  if (current.startsWith('-')) return startingWith(unusedFlags(flags, before), current);

  const place = looseWords(flags, before.slice(found.words)).length + (found.object === undefined ? 0 : 1);
  const specs: readonly PositionalSpec[] = found.command.args;
  const spec = specs[place] ?? (specs.at(-1)?.rest ? specs.at(-1) : undefined);
  return spec === undefined ? startingWith(unusedFlags(flags, before), current) : valuesOf(spec, current, '');
}

/** First words, or second words behind an object word; empty once the command is complete. */
function commandWords(rows: readonly CommandSpec[], words: readonly string[]): Candidate[] {
  if (words.length === 0) {
    const objects = OBJECTS.map((row) => ({ text: row.words[0] ?? row.kind, summary: row.summary }));
    const verbs = rows
      .filter((row) => !row.name.includes(' '))
      .map((row) => ({ text: row.name, summary: row.summary }));
    const groups = [...new Set(rows.flatMap((row) => groupOf(row) ?? []))].map((text) => ({
      text,
      summary: '',
    }));
    return [
      ...objects,
      ...groups,
      ...verbs,
      ...rows.map((row) => ({ text: row.code, summary: row.summary })),
    ];
  }
  const object =
    words.length === 1 ? OBJECTS.find((row) => row.words.includes(words[0]?.toLowerCase() ?? '')) : undefined;
  const word = object?.words[0] ?? rows.map(groupOf).find((group) => group === words[0]?.toLowerCase());
  if (word === undefined || words.length > 1) return [];
  const prefix = `${word} `;
  return rows
    .filter((row) => row.name.startsWith(prefix))
    .map((row) => ({ text: row.name.slice(prefix.length), summary: row.summary }));
}

/** The first word of a command about things that have no object word of their own (`task list`). */
function groupOf({ name }: CommandSpec): string | undefined {
  const [word, second] = name.split(' ');
  const isObject = OBJECTS.some((object) => object.words.includes(word ?? ''));
  return second === undefined || isObject ? undefined : word;
}

function leadingWords(before: readonly string[]): string[] {
  const end = before.findIndex((word) => word.startsWith('-'));
  return before.slice(0, end < 0 ? undefined : end);
}

function looseWords(flags: readonly FlagSpec[], words: readonly string[]): string[] {
  const loose: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const flag = flagOf(flags, word);
    if (flag !== undefined && flag.type !== 'boolean' && !word.includes('=')) at++;
    else if (!word.startsWith('-')) loose.push(word);
  }
  return loose;
}

function flagOf(flags: readonly FlagSpec[], word: string | undefined): FlagSpec | undefined {
  if (word === undefined) return undefined;
  return flags.find(
    (flag) => word === `--${flag.name}` || (flag.short !== undefined && word === `-${flag.short}`),
  );
}

function unusedFlags(flags: readonly FlagSpec[], before: readonly string[]): Candidate[] {
  return flags
    .filter(
      (flag) =>
        flag.type === 'list' || !before.some((word) => flagOf([flag], word.split('=')[0]) !== undefined),
    )
    .map((flag) => ({ text: `--${flag.name}`, summary: flag.summary }));
}

function valuesOf(spec: FlagSpec | PositionalSpec | undefined, current: string, prefix: string): Completion {
  const words = spec?.values ?? (spec?.type === 'boolean' ? ['true', 'false'] : []);
  const list = words.map((text) => ({ text: prefix + text, summary: '' }));
  return {
    ...startingWith(list, prefix + current),
    ...(spec?.object === undefined ? {} : { object: spec.object }),
  };
}

function startingWith(candidates: readonly Candidate[], current: string): Completion {
  const wanted = current.toLowerCase();
  return { candidates: candidates.filter((candidate) => candidate.text.toLowerCase().startsWith(wanted)) };
}
