import { FUNCTIONS } from '@/lib/engine/expression/function-table';

/** The function library as a Markdown table, for docs/workflow-reference.md. */
export function functionsDocs(): string {
  const rows = FUNCTIONS.map(({ name, method, arity, about }) => {
    const [least, most] = arity;
    const args = most === 0 ? '' : least === most ? 'abcdefghij'.slice(0, most).split('').join(', ') : `${least === 0 ? '' : 'a'}${most > 1 || least === 0 ? `${least === 0 ? 'a?' : ', b?'}` : ''}`;
    return `| \`${method ? 'value.' : ''}${name}(${args})\` | ${about.replaceAll('|', '\\|')} |`;
  });
  return `| function | gives |\n|---|---|\n${rows.join('\n')}\n`;
}
