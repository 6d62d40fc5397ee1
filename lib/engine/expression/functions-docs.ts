import { FUNCTIONS } from '@/lib/engine/expression/function-table';

/** `a, b, c?` for a function of two or three arguments; long lists are cut short. */
function parameters([least, most]: readonly [number, number]): string {
  const shown = Math.min(most, least + 2);
  const names = Array.from({ length: shown }, (_none, i) => `${'abcde'[i]}${i < least ? '' : '?'}`);
  return [...names, ...(most > shown ? ['…'] : [])].join(', ');
}

/** The function library as a Markdown table, for docs/workflow-reference.md. */
export function functionsDocs(): string {
  const rows = FUNCTIONS.map(({ name, method, arity, about }) => {
    return `| \`${method ? 'value.' : ''}${name}(${parameters(arity)})\` | ${about.replaceAll('|', '\\|')} |`;
  });
  return `| function | gives |\n|---|---|\n${rows.join('\n')}\n`;
}
