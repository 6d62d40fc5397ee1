import type { Lookup } from '@/lib/engine/expression/compile-expression';
import type { Value } from '@/lib/engine/expression/values';
import type { Program } from '@/lib/engine/program';
import { joinPath } from '@/lib/engine/state';
import type { RunState } from '@/lib/engine/types';
import type { Json } from '@/lib/shared/json';

/** Names that no node and no loop variable may have. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'input',
  'run',
  'cel',
  'json',
  'math',
  're',
  'optional',
  'true',
  'false',
  'null',
  'in',
  'has',
  'secrets',
  'nodes',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);

/**
 * What the names of an expression mean in a scope: `input`, `run`, the loop variables around it, and the nodes of its own
 * graph and of every graph around it (`${id.output}`, `.status`, `.error`, `.port`, `.attempt`).
 */
export function lookupFor(program: Program, state: RunState, scopePath: string): Lookup {
  return (name) => {
    if (name === 'input') return state.input;
    if (name === 'run') return runValue(state);
    const compiled = program.nodes.get(name);
    for (let path: string | null = scopePath; path !== null; ) {
      const scope = state.scopes.get(path);
      if (scope === undefined) return undefined;
      if (scope.vars !== undefined && Object.hasOwn(scope.vars, name)) return scope.vars[name] as Value;
      if (compiled !== undefined && compiled.graph === scope.graph)
        return nodeValue(state, joinPath(path, name));
      path = scope.parent;
    }
    return undefined;
  };
}

function runValue(state: RunState): Value {
  return {
    id: state.runId,
    workflowId: state.workflowId,
    workflow: state.workflow,
    version: state.version,
    startedAt: new Date(state.startedAt).toISOString(),
    startedBy: state.startedBy,
    failure: (state.closing?.failure ?? null) as Json as Value,
  };
}

function nodeValue(state: RunState, path: string): Value {
  const node = state.nodes.get(path);
  if (node === undefined) return { output: null, status: 'pending', error: null, port: null, attempt: 0 };
  return {
    output: (node.output ?? null) as Value,
    status: node.status,
    error: (node.failure ?? null) as Json as Value,
    port: node.port ?? null,
    attempt: node.call?.attempt ?? 1,
  };
}
