import { CORE_FUNCTIONS, type LibraryFunction } from '@/lib/engine/expression/functions-core';
import { METHOD_FUNCTIONS } from '@/lib/engine/expression/functions-methods';

/** Names of the macros over lists and maps: `xs.map(x, …)`. */
export const MACROS: ReadonlySet<string> = new Set(['map', 'filter', 'all', 'exists', 'exists_one']);

/** Every function, in the order of the reference. */
export const FUNCTIONS: readonly LibraryFunction[] = [...CORE_FUNCTIONS, ...METHOD_FUNCTIONS];

const plain = new Map(FUNCTIONS.filter((item) => !item.method).map((item) => [item.name, item]));
const methods = new Map(FUNCTIONS.filter((item) => item.method).map((item) => [item.name, item]));

/** The function of that name, or undefined. */
export function findFunction(name: string, method: boolean): LibraryFunction | undefined {
  return (method ? methods : plain).get(name);
}

/** True when there is such a function for that many arguments. */
export function isFunctionName(name: string, args: number, method: boolean): boolean {
  const found = findFunction(name, method);
  return found !== undefined && args >= found.arity[0] && args <= found.arity[1];
}
