import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { FUNCTIONS } from '@/lib/engine/expression/function-table';
import { CEL_OPTIONS } from '@/lib/engine/expression/parse-expression';
import { isJsonObject, type Json } from '@/lib/shared/json';

/** A CEL type for the checker: a name, or the fields of a map. */
export type CelType = string | { [field: string]: CelType };

/** What the checker found wrong. */
export interface TypeProblem {
  code: string;
  message: string;
  /** Position in the source, when known. */
  position: number | null;
}

const NAMESPACES = ['json', 'math', 're'];

/**
 * Names that CEL has for its types. A node may be called so, and evaluation gives the node; the checker cannot be told, so
 * it leaves such an expression open.
 */
const TYPE_NAMES: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'google',
  'int',
  'list',
  'map',
  'null_type',
  'string',
  'type',
  'uint',
]);

/** The library's signatures, known to the checker. Handlers are never called: evaluation is ours. */
function libraryEnvironment(): Environment {
  const env = new Environment(CEL_OPTIONS);
  const never = () => null;
  for (const operator of ['+', '-', '*', '/', '%']) {
    env.registerOperator(`double ${operator} int: double`, never);
    env.registerOperator(`int ${operator} double: double`, never);
  }
  env.registerOperator('double % double: double', never);
  for (const name of NAMESPACES) {
    class Namespace {}
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}Functions`;
    env.registerType(type, Namespace);
    env.registerConstant(name, type, new Namespace());
  }
  for (const { signatures } of FUNCTIONS) {
    for (const signature of signatures) env.registerFunction(qualified(signature), never);
  }
  return env;
}

/** `json.parse(string): dyn` → `JsonFunctions.parse(string): dyn`; short names of CEL's own types written out. */
function qualified(signature: string): string {
  const full = signature
    .replace(/\(timestamp\)/, '(google.protobuf.Timestamp)')
    .replace(/\(duration\)/, '(google.protobuf.Duration)');
  const found = /^(\w+)\./.exec(full);
  const name = found?.[1];
  if (name === undefined || !NAMESPACES.includes(name)) return full;
  return `${name[0]?.toUpperCase()}${name.slice(1)}Functions${full.slice(name.length)}`;
}

let shared: Environment | undefined;

/**
 * Type of an expression, where the names it may use have the given types (others are unknown). Gives CEL's name of the type,
 * or the first problem. `ternary` mismatches are let through: JSON results may differ by branch.
 */
export function checkExpression(
  source: string,
  variables: Readonly<Record<string, CelType>>,
): { type: string } | { problem: TypeProblem } {
  if (Object.keys(variables).some((name) => TYPE_NAMES.has(name))) return { type: 'dyn' };
  shared ??= libraryEnvironment();
  const env = shared.clone();
  for (const [name, type] of Object.entries(variables)) {
    if (typeof type === 'string') env.registerVariable(name, type);
    else env.registerVariable(name, { schema: type as Record<string, never> });
  }
  const result = env.check(source);
  if (result.valid) return { type: result.type ?? 'dyn' };
  const error = result.error as unknown as {
    code?: string;
    summary?: string;
    message: string;
    range?: { start: number };
    node?: ASTNode;
  };
  if (error.code === 'incompatible_ternary_branches') return { type: 'dyn' };
  return {
    problem: {
      code: error.code ?? 'type_error',
      message: error.summary ?? error.message.split('\n')[0] ?? 'The types do not fit.',
      position: error.range?.start ?? null,
    },
  };
}

/** The CEL type of values that fit a JSON Schema; `dyn` where the schema leaves it open. */
export function celTypeOf(schema: Json | undefined, depth = 0): CelType {
  if (schema === undefined || !isJsonObject(schema) || depth > 6) return 'dyn';
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'number':
    case 'integer':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'array':
      return 'list<dyn>';
    case 'object': {
      const { properties } = schema;
      if (properties === undefined || !isJsonObject(properties) || Object.keys(properties).length === 0)
        return 'map';
      // Names that are no identifiers cannot be fields of a CEL type; the map then stays open.
      if (!Object.keys(properties).every((key) => /^[A-Za-z_]\w*$/.test(key))) return 'map';
      return Object.fromEntries(
        Object.keys(properties).map((key) => [key, celTypeOf(properties[key], depth + 1)]),
      );
    }
    default:
      return 'dyn';
  }
}
