import { complete } from '@/lib/commands/complete';
import type { completion } from '@/lib/commands/rows/system';
import type { ArgsOf, ObjectKind } from '@/lib/commands/types';
import { settingsSchema } from '@/lib/protocol/settings';
import { savedViewSchema } from '@/lib/protocol/views';
import type { ApiClient } from '@/server/cli/api-client';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';

/** The word behind the program's name with which the scripts below ask for candidates. */
export const COMPLETE_WORD = '__complete';
/** Tab must not hang: names that have not come by then are left out, milliseconds. */
const PATIENCE_MS = 1_500;
const MAX_RUNS = 20;

const BASH = `_openconductor() {
  local line current="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    if [ "$line" = ':files' ]; then
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    elif [ -n "$line" ]; then COMPREPLY+=("$line"); fi
  done < <(openconductor ${COMPLETE_WORD} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _openconductor openconductor`;

const ZSH = `#compdef openconductor
_openconductor() {
  local -a rows
  local word text
  while IFS=$'\\t' read -r word text; do
    if [[ $word == ':files' ]]; then _files
    elif [[ -n $word ]]; then rows+=("\${word//:/\\\\:}:$text"); fi
  done < <(openconductor ${COMPLETE_WORD} "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#rows )) && _describe 'openconductor' rows
}
compdef _openconductor openconductor`;

const FISH = `function __openconductor_complete
  set -l words (commandline -opc)[2..] (commandline -ct)
  for row in (openconductor ${COMPLETE_WORD} $words 2>/dev/null)
    if test "$row" = ':files'
      __fish_complete_path (commandline -ct)
    else
      echo $row
    end
  end
end
complete -c openconductor -f -a '(__openconductor_complete)'`;

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;

/** `completion`: the script of a shell. */
export async function printCompletion(
  { shell }: ArgsOf<typeof completion>,
  { output }: CliContext,
): Promise<number> {
  output.text(SCRIPTS[shell]);
  return EXIT.ok;
}

/**
 * What can stand in place of the last word: one candidate a line with what it means behind a tab; the line `:files` stands for
 * file names. Names of things come from the instance; when it does not answer there are none.
 */
export async function completionLines(
  words: readonly string[],
  api: ApiClient,
  profiles: () => Promise<string[]>,
): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const { candidates, object } = complete(words.slice(0, -1), current, 'cli');
  const lines = candidates.map(({ text, summary }) => (summary === '' ? text : `${text}\t${summary}`));
  if (object === 'file') return [...lines, ':files'];
  if (object === undefined) return lines;
  const names = await namesOf(object, words, api.until(AbortSignal.timeout(PATIENCE_MS)), profiles).catch(
    () => [],
  );
  const cut = current.lastIndexOf(',') + 1;
  const prefix = current.slice(0, cut);
  const wanted = names.filter((row) => row.startsWith(current.slice(cut))).map((row) => prefix + row);
  return [...lines, ...wanted.map((row) => row.replaceAll('\n', ' '))];
}

async function namesOf(
  kind: ObjectKind,
  words: readonly string[],
  api: ApiClient,
  profiles: () => Promise<string[]>,
): Promise<string[]> {
  switch (kind) {
    case 'workflow':
      return (await api.workflows()).map((row) => row.name);
    case 'server':
      return (await api.servers()).map((row) => row.name);
    case 'run':
      return (await api.runs({ limit: MAX_RUNS })).items.map((row) => row.runId);
    case 'tool': {
      const server = words.at(-2);
      return server === undefined ? [] : (await api.server(server)).toolList.map((tool) => tool.name);
    }
    case 'view':
      return (await api.all('/api/v1/views', { schema: savedViewSchema })).map((row) => row.name);
    case 'setting':
      return (await api.send('get', '/api/v1/settings', { schema: settingsSchema })).items
        .filter((row) => row.editable)
        .map((row) => row.key);
    case 'profile':
      return profiles();
    default:
      return [];
  }
}
