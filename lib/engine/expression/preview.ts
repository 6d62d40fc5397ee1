import { type CelType, checkExpression } from '@/lib/engine/expression/check';
import { compileExpression } from '@/lib/engine/expression/compile-expression';
import { bareExpression } from '@/lib/engine/expression/template';
import { toJson, type Value } from '@/lib/engine/expression/values';
import type { Json } from '@/lib/shared/json';

/**
 * Value of an expression (with or without `${ }`) over plain JSON names, for the builder's previews. `now` is epoch
 * milliseconds. Throws AppError EXPRESSION_INVALID or EXPRESSION_FAILED.
 */
export function evaluate(source: string, names: Readonly<Record<string, Json>>, now: number): Json {
  const expression = compileExpression(bareExpression(source));
  return toJson(
    expression.run((name) => (Object.hasOwn(names, name) ? (names[name] as Value) : undefined), now),
  );
}

/**
 * CEL type of an expression (with or without `${ }`), where names have the given types; others count as `dyn`.
 * Throws AppError EXPRESSION_INVALID for what cannot be parsed; type problems are returned.
 */
export function typeOf(
  source: string,
  types: Readonly<Record<string, CelType>> = {},
): ReturnType<typeof checkExpression> {
  const bare = bareExpression(source);
  compileExpression(bare);
  return checkExpression(bare, types);
}
