import { didYouMean } from '@/lib/commands/distance';
import { COMMANDS, commandsOn } from '@/lib/commands/registry';
import type { CommandSpec, Surface } from '@/lib/commands/types';
import { hasRole, type Role } from '@/lib/protocol/actor';

/** A command that fits what was typed. Higher scores fit better; equal scores keep the order of the registry. */
export interface Suggestion {
  readonly command: CommandSpec;
  readonly score: number;
}

/** Limits of a search for commands. */
export interface SuggestOptions {
  readonly surface?: Surface;
  /** Leaves out commands that need more than this role. */
  readonly role?: Role;
  readonly limit?: number;
}

/** Points for how one typed word meets one thing known about a command. */
const POINTS = {
  code: 100,
  codeStart: 60,
  name: 50,
  nameStart: 40,
  keyword: 30,
  keywordStart: 22,
  summary: 10,
  near: 12,
};

/** Words that say nothing about which command is meant. */
const FILLERS = new Set([
  'a',
  'an',
  'the',
  'to',
  'of',
  'my',
  'all',
  'me',
  'please',
  'for',
  'do',
  'i',
  'is',
  'are',
]);

/**
 * Commands for plain words: `stop a run` finds `run cancel` and so teaches its code CANC. Every typed word
 * must meet the code, name, keywords or summary; with nothing typed, every command comes in registry order.
 */
export function suggest(query: string, options: SuggestOptions = {}): readonly Suggestion[] {
  const words = query
    .toLowerCase()
    .split(/[^\p{L}\p{N}?]+/u)
    .filter((word) => word !== '');
  const wanted = words.filter((word) => !FILLERS.has(word));
  const rows =
    options.surface === undefined ? (COMMANDS as readonly CommandSpec[]) : commandsOn(options.surface);
  const role = options.role;
  const found: Suggestion[] = [];
  for (const command of rows) {
    if (role !== undefined && !hasRole(role, command.role)) continue;
    const score = scoreCommand(command, wanted.length > 0 ? wanted : words);
    if (score !== null) found.push({ command, score });
  }
  found.sort((a, b) => b.score - a.score);
  return found.slice(0, options.limit ?? 8);
}

function scoreCommand(command: CommandSpec, words: readonly string[]): number | null {
  const code = command.code.toLowerCase();
  const names = [command.name, ...(command.aliases ?? [])].flatMap((name) => name.split(' '));
  const keywords = command.keywords.map((keyword) => keyword.toLowerCase());
  const summary = command.summary.toLowerCase().split(/\W+/);
  let total = 0;
  for (const word of words) {
    const points = scoreWord(word, code, names, keywords, summary);
    if (points === 0) return null;
    total += points;
  }
  const exact = words.join(' ');
  if (command.name === exact || command.aliases?.includes(exact)) total += POINTS.code;
  return total;
}

function scoreWord(
  word: string,
  code: string,
  names: readonly string[],
  keywords: readonly string[],
  summary: readonly string[],
): number {
  const singular = word.length > 3 && word.endsWith('s') ? word.slice(0, -1) : word;
  if (word === code) return POINTS.code;
  if (names.includes(word) || names.includes(singular)) return POINTS.name;
  if (code.startsWith(word)) return POINTS.codeStart;
  if (names.some((name) => name.startsWith(word))) return POINTS.nameStart;
  if (keywords.includes(word) || keywords.includes(singular)) return POINTS.keyword;
  if (keywords.some((keyword) => keyword.startsWith(word))) return POINTS.keywordStart;
  if (summary.some((part) => part.startsWith(singular))) return POINTS.summary;
  return didYouMean(word, [...names, ...keywords]) === undefined ? 0 : POINTS.near;
}
