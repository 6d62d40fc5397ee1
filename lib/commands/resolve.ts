import { didYouMean } from '@/lib/commands/distance';
import { COMMANDS, commandNamed, commandWithCode, OBJECTS, objectNamed } from '@/lib/commands/registry';
import { suggest } from '@/lib/commands/suggest';
import type { CommandSpec, ObjectKind, ObjectSpec } from '@/lib/commands/types';

/** True when a thing of this kind with this name is known to be there; lets names win over typing mistakes. */
export type KnowsObject = (kind: ObjectKind, name: string) => boolean;

/** The command that the first words mean; `words` of them were used up, `object` (its index) names the thing. */
export type Resolved =
  | { readonly ok: true; readonly command: CommandSpec; readonly words: number; readonly object?: number }
  | {
      readonly ok: false;
      readonly code: 'UNKNOWN_COMMAND' | 'UNKNOWN_FUNCTION';
      /** Index of the word that is not understood. */
      readonly word: number;
      readonly message: string;
      readonly suggestion?: string;
    };

/**
 * Finds the command in the leading words of a line. Understood, in this order:
 * `run list` · `list runs` · `orchestrate` · `runs` · `SRV memory` · `SRV memory CALL` · `CANC` · `memory CALL`.
 */
export function resolveCommand(words: readonly string[], knows: KnowsObject = () => false): Resolved {
  const first = words[0] ?? '';
  const object = objectNamed(first);
  if (object !== undefined) return resolveObject(object, words, knows);

  const lower = first.toLowerCase();
  const second = words[1];
  if (second !== undefined) {
    const other = objectNamed(second);
    const pair =
      other?.words[0] === undefined ? `${lower} ${second.toLowerCase()}` : `${other.words[0]} ${lower}`;
    const command = commandNamed(pair);
    if (command !== undefined) return { ok: true, command, words: 2 };
  }
  const command = commandNamed(lower) ?? commandWithCode(first);
  if (command !== undefined) return { ok: true, command, words: 1 };
  if (second !== undefined) {
    const named = functionOfName(first, second, knows);
    if (named !== undefined) return { ok: true, command: named, words: 2, object: 0 };
  }
  return unknownCommand(words);
}

/** `RUN …`, `SRV …`: a list, a function, a thing, or a thing and a function. */
function resolveObject(object: ObjectSpec, words: readonly string[], knows: KnowsObject): Resolved {
  const second = words[1];
  if (second === undefined) return found(object.list, 1);
  const command = functionOf(object, second);
  if (command !== undefined && !knows(object.kind, second)) return { ok: true, command, words: 2 };

  const third = words[2];
  const onThing = third === undefined ? undefined : functionOf(object, third);
  if (onThing !== undefined && onThing.args[0]?.object === object.kind) {
    return { ok: true, command: onThing, words: 3, object: 1 };
  }
  if (command !== undefined) return { ok: true, command, words: 2 };
  const functions = functionsOf(object);
  const near = didYouMean(second, functions);
  const named = new RegExp(object.namePattern).test(second);
  if (knows(object.kind, second) || (named && near === undefined))
    return { ...found(object.show, 2), object: 1 };
  const word = object.words[0] ?? object.kind;
  return {
    ok: false,
    code: 'UNKNOWN_FUNCTION',
    word: 1,
    message: `"${second}" is not something to do with a ${word}: there is ${functions.join(', ')}.`,
    ...(near === undefined ? {} : { suggestion: `${word} ${near}` }),
  };
}

/** `memory CALL`: the thing first, then a code in capitals or a function of the kind it is known to be. */
function functionOfName(name: string, word: string, knows: KnowsObject): CommandSpec | undefined {
  const coded = word === word.toUpperCase() ? commandWithCode(word) : undefined;
  if (coded?.args[0]?.object !== undefined) return coded;
  const kind = OBJECTS.find((object) => knows(object.kind, name));
  const command =
    kind === undefined ? undefined : (functionOf(kind, word) ?? commandNamed(word.toLowerCase()));
  return command?.args[0]?.object === kind?.kind ? command : undefined;
}

/** The function of an object kind called `word`: `list`, an alias, or the code of a command about that kind. */
function functionOf(object: ObjectSpec, word: string): CommandSpec | undefined {
  const named = commandNamed(`${object.words[0] ?? object.kind} ${word.toLowerCase()}`);
  if (named !== undefined) return named;
  const other = commandNamed(word.toLowerCase()) ?? commandWithCode(word);
  return other?.objects.includes(object.kind) ? other : undefined;
}

function functionsOf(object: ObjectSpec): string[] {
  const prefix = `${object.words[0] ?? object.kind} `;
  return COMMANDS.filter((row) => row.name.startsWith(prefix)).map((row) => row.name.slice(prefix.length));
}

function found(name: string, words: number): { ok: true; command: CommandSpec; words: number } {
  const command = commandNamed(name);
  if (command === undefined) throw new Error(`The registry names a command that is not there: ${name}`);
  return { ok: true, command, words };
}

function unknownCommand(words: readonly string[]): Resolved {
  const first = words[0] ?? '';
  const names = (COMMANDS as readonly CommandSpec[]).flatMap((row) => [
    row.name,
    ...(row.aliases ?? []),
    row.code,
  ]);
  const objects = OBJECTS.flatMap((object) => object.words);
  const pair = words.slice(0, 2).join(' ');
  const near =
    (words.length > 1 ? didYouMean(pair, names) : undefined) ??
    didYouMean(first, [...objects, ...names]) ??
    (suggest(words.slice(0, 4).join(' '), { limit: 1 })[0] ?? suggest(first, { limit: 1 })[0])?.command.name;
  return {
    ok: false,
    code: 'UNKNOWN_COMMAND',
    word: 0,
    message: `There is no command "${first}".`,
    ...(near === undefined ? {} : { suggestion: near }),
  };
}
