import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { isFunctionName, MACROS } from '@/lib/engine/expression/function-table';
import { EXPRESSION_LIMITS } from '@/lib/engine/expression/limits';
import { AppError } from '@/lib/protocol/errors';

/** Parser options of every environment: literals may mix types as JSON does, `a.?b` is on. */
export const CEL_OPTIONS = {
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  enableOptionalTypes: true,
  limits: {
    maxAstNodes: EXPRESSION_LIMITS.astNodes,
    maxDepth: EXPRESSION_LIMITS.astDepth,
    maxListElements: 500,
    maxMapEntries: 500,
    maxCallArguments: 10,
  },
} as const;

const parser = new Environment(CEL_OPTIONS);
const FORBIDDEN_MEMBERS = new Set(['__proto__', 'constructor', 'prototype']);

/** A parsed expression that broke no rule. */
export interface ParsedExpression {
  source: string;
  ast: ASTNode;
  /** Free names: what the expression asks its surroundings for. */
  names: ReadonlySet<string>;
  /** Names with the first member asked of them: `fetch.output`, or `fetch` alone. */
  paths: readonly (readonly string[])[];
}

/** EXPRESSION_INVALID with the place in the source, when it is known. */
export function invalidExpression(message: string, source: string, position?: number): AppError {
  const shown = source.length > 120 ? `${source.slice(0, 120)}…` : source;
  return new AppError('EXPRESSION_INVALID', `${message.replace(/\.$/, '')} (in ${shown}).`, {
    details: position === undefined ? { expression: shown } : { expression: shown, position },
  });
}

/**
 * Parses one CEL expression and refuses what is too large, nested too deep, unknown or dangerous.
 * Throws AppError EXPRESSION_INVALID.
 */
export function parseExpression(source: string): ParsedExpression {
  if (source.length > EXPRESSION_LIMITS.sourceLength) {
    throw invalidExpression(
      `The expression is longer than ${EXPRESSION_LIMITS.sourceLength} characters.`,
      source,
    );
  }
  let ast: ASTNode;
  try {
    ast = parser.parse(source).ast;
  } catch (error) {
    const { summary, message, range } = error as {
      summary?: string;
      message: string;
      range?: { start: number };
    };
    throw invalidExpression(`${summary ?? message.split('\n')[0]}.`, source, range?.start);
  }
  const walk: Walk = { source, names: new Set(), paths: [] };
  inspect(ast, [], 0, walk);
  return { source, ast, names: walk.names, paths: walk.paths };
}

interface Walk {
  source: string;
  names: Set<string>;
  paths: string[][];
}

/** Chain of plain members from a free name: `a.b.c` → [a, b, c]; null when the start is something else. */
function memberPath(node: ASTNode): string[] | null {
  if (node.op === 'id') return [node.args];
  if (node.op === '.' || node.op === '.?') {
    const start = memberPath(node.args[0]);
    return start === null ? null : [...start, node.args[1]];
  }
  if (
    (node.op === '[]' || node.op === '[?]') &&
    node.args[1].op === 'value' &&
    typeof node.args[1].args === 'string'
  ) {
    const start = memberPath(node.args[0]);
    return start === null ? null : [...start, node.args[1].args];
  }
  return null;
}

function inspect(node: ASTNode, locals: readonly string[], nesting: number, walk: Walk): void {
  const refuse = (message: string): never => {
    throw invalidExpression(message, walk.source, node.pos);
  };
  const path = memberPath(node);
  if (path !== null && !locals.includes(path[0] as string)) {
    walk.names.add(path[0] as string);
    walk.paths.push(path);
    for (const name of path) if (FORBIDDEN_MEMBERS.has(name)) refuse(`\`${name}\` is not available.`);
    return;
  }
  switch (node.op) {
    case 'id':
      return;
    case 'value':
      if (node.args instanceof Uint8Array) refuse('Bytes are not available; use text.');
      return;
    case '.':
    case '.?':
      if (FORBIDDEN_MEMBERS.has(node.args[1])) refuse(`\`${node.args[1]}\` is not available.`);
      inspect(node.args[0], locals, nesting, walk);
      return;
    case '!_':
    case '-_':
      inspect(node.args, locals, nesting, walk);
      return;
    case 'list':
      for (const item of node.args) inspect(item, locals, nesting, walk);
      return;
    case 'map':
      for (const [key, value] of node.args) {
        if (key.op === 'value' && FORBIDDEN_MEMBERS.has(String(key.args)))
          refuse(`\`${String(key.args)}\` is no key.`);
        if (key.op !== 'id') inspect(key, locals, nesting, walk);
        inspect(value, locals, nesting, walk);
      }
      return;
    case 'call': {
      const [name, args] = node.args;
      if (name === 'has') {
        const target = args[0];
        if (args.length !== 1 || target === undefined || !(target.op === '.' || target.op === '[]')) {
          refuse('has() takes one member access: has(a.b).');
        }
      } else if (!isFunctionName(name, args.length, false)) {
        refuse(`There is no function ${name} with ${args.length} argument(s).`);
      }
      for (const arg of args) inspect(arg, locals, nesting, walk);
      return;
    }
    case 'rcall':
      inspectMethod(node.args, locals, nesting, walk, refuse);
      return;
    default:
      for (const part of node.args as ASTNode[]) inspect(part, locals, nesting, walk);
  }
}

function inspectMethod(
  [name, receiver, args]: [string, ASTNode, ASTNode[]],
  locals: readonly string[],
  nesting: number,
  walk: Walk,
  refuse: (message: string) => never,
): void {
  const bind = receiver.op === 'id' && receiver.args === 'cel' && name === 'bind';
  if (name === 'matches')
    refuse('`matches` is not available (its running time has no bound); use re.test(text, pattern).');
  if (bind || (MACROS.has(name) && args.length >= 2)) {
    const [variable, ...rest] = args;
    if (variable?.op !== 'id') {
      refuse(`${name}() needs a plain name as its first argument.`);
      return;
    }
    if (nesting + 1 > EXPRESSION_LIMITS.macroNesting) {
      refuse(
        `map, filter, all, exists and bind may be nested ${EXPRESSION_LIMITS.macroNesting} deep at most.`,
      );
    }
    if (args.length > 3) refuse(`${name}() takes at most 3 arguments.`);
    if (!bind) inspect(receiver, locals, nesting, walk);
    const [first, second] = rest;
    const inner = [...locals, variable.args];
    if (bind) {
      if (first !== undefined) inspect(first, locals, nesting, walk);
      if (second !== undefined) inspect(second, inner, nesting + 1, walk);
    } else {
      for (const part of rest) inspect(part, inner, nesting + 1, walk);
    }
    return;
  }
  const namespaced =
    receiver.op === 'id' && !locals.includes(receiver.args) ? `${receiver.args}.${name}` : null;
  if (namespaced !== null && isFunctionName(namespaced, args.length, false)) {
    for (const arg of args) inspect(arg, locals, nesting, walk);
    return;
  }
  if (!isFunctionName(name, args.length, true))
    refuse(`There is no method ${name} with ${args.length} argument(s).`);
  inspect(receiver, locals, nesting, walk);
  for (const arg of args) inspect(arg, locals, nesting, walk);
}
