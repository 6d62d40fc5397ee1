import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';

/** Where a value breaks a schema, and how. `pointer` is relative to the value. */
export interface Mismatch {
  pointer: string;
  message: string;
}

const MAX_DEPTH = 40;

/**
 * Steps that one check may take; a step is far below a microsecond. A schema that refers to itself in several places at once needs
 * a number of them that grows with the power of the depth, and whoever checks does nothing else meanwhile.
 */
const MAX_STEPS = 1_000_000;

/**
 * Checks a value against a JSON Schema: type, enum, const, properties, required, additionalProperties, items, prefixItems,
 * bounds, allOf / anyOf / oneOf / not, and local `$ref`. Keywords it does not know (format, pattern, …) are not checked.
 * A schema that would take too long does not fit anything. Written by hand because a schema compiler makes code at run time,
 * which the core must not need.
 */
export function firstMismatch(schema: Json, value: Json): Mismatch | null {
  try {
    return check(schema, value, '', { schema, left: MAX_STEPS }, 0);
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    const message = `cannot be checked: its schema takes more than ${MAX_STEPS.toLocaleString('en-GB')} steps`;
    return { pointer: '', message };
  }
}

/** The whole schema, which references begin at, and the steps that are left to check by it. */
interface Root {
  readonly schema: Json;
  left: number;
}

class TooLong extends Error {}

function spend(root: Root, steps: number): void {
  root.left -= steps;
  if (root.left < 0) throw new TooLong();
}

const TYPES: Record<string, (value: Json) => boolean> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  integer: (value) => typeof value === 'number' && Number.isInteger(value),
  string: (value) => typeof value === 'string',
  array: (value) => Array.isArray(value),
  object: (value) => isJsonObject(value),
};

function same(a: Json, b: Json, root: Root): boolean {
  spend(root, 1);
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i] as Json, root));
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(a[key] as Json, b[key] as Json, root))
  );
}

function check(schema: Json, value: Json, pointer: string, root: Root, depth: number): Mismatch | null {
  spend(root, 1);
  if (schema === true || depth > MAX_DEPTH) return null;
  if (schema === false) return { pointer, message: 'is not allowed' };
  if (!isJsonObject(schema)) return null;
  if (typeof schema.$ref === 'string') {
    const target = resolvePointer(root.schema, schema.$ref);
    return target === undefined ? null : check(target, value, pointer, root, depth + 1);
  }
  const types =
    typeof schema.type === 'string' ? [schema.type] : Array.isArray(schema.type) ? schema.type : [];
  if (types.length > 0 && !types.some((type) => TYPES[String(type)]?.(value) ?? true)) {
    return { pointer, message: `must be ${types.join(' or ')}` };
  }
  if (Array.isArray(schema.enum) && !schema.enum.some((item) => same(item, value, root))) {
    return { pointer, message: `must be one of ${short(schema.enum)}` };
  }
  if (schema.const !== undefined && !same(schema.const, value, root))
    return { pointer, message: `must be ${short(schema.const)}` };
  return (
    checkBounds(schema, value, pointer, root) ??
    (isJsonObject(value) ? checkObject(schema, value, pointer, root, depth) : null) ??
    (Array.isArray(value) ? checkArray(schema, value, pointer, root, depth) : null) ??
    checkCombined(schema, value, pointer, root, depth)
  );
}

/** A value in a message. */
function short(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= 500 ? text : `${text.slice(0, 500)}…`;
}

function checkBounds(schema: JsonObject, value: Json, pointer: string, root: Root): Mismatch | null {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength } = schema;
  if (typeof value === 'number') {
    if (typeof minimum === 'number' && value < minimum)
      return { pointer, message: `must be at least ${minimum}` };
    if (typeof maximum === 'number' && value > maximum)
      return { pointer, message: `must be at most ${maximum}` };
    if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum)
      return { pointer, message: `must be more than ${exclusiveMinimum}` };
    if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
      return { pointer, message: `must be less than ${exclusiveMaximum}` };
  } else if (typeof value === 'string' && (minLength !== undefined || maxLength !== undefined)) {
    // Code points are counted one by one.
    spend(root, value.length / 16);
    const length = [...value].length;
    if (typeof minLength === 'number' && length < minLength)
      return { pointer, message: `must have at least ${minLength} characters` };
    if (typeof maxLength === 'number' && length > maxLength)
      return { pointer, message: `must have at most ${maxLength} characters` };
  }
  return null;
}

function checkObject(
  schema: JsonObject,
  value: JsonObject,
  pointer: string,
  root: Root,
  depth: number,
): Mismatch | null {
  if (Array.isArray(schema.required)) {
    spend(root, schema.required.length);
    const missing = schema.required.find((key) => !Object.hasOwn(value, String(key)));
    if (missing !== undefined) return { pointer: `${pointer}/${String(missing)}`, message: 'is missing' };
  }
  const properties = isJsonObject(schema.properties ?? null) ? (schema.properties as JsonObject) : {};
  for (const key of Object.keys(value)) {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const inner = known ?? schema.additionalProperties;
    if (inner === undefined) continue;
    if (known === undefined && inner === false)
      return { pointer: `${pointer}/${key}`, message: 'is not known to the schema' };
    const problem = check(inner as Json, value[key] as Json, `${pointer}/${key}`, root, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

function checkArray(
  schema: JsonObject,
  value: Json[],
  pointer: string,
  root: Root,
  depth: number,
): Mismatch | null {
  const { minItems, maxItems } = schema;
  if (typeof minItems === 'number' && value.length < minItems)
    return { pointer, message: `must have at least ${minItems} items` };
  if (typeof maxItems === 'number' && value.length > maxItems)
    return { pointer, message: `must have at most ${maxItems} items` };
  const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
  for (const [i, item] of value.entries()) {
    const inner = prefix[i] ?? schema.items;
    if (inner === undefined) continue;
    const problem = check(inner as Json, item, `${pointer}/${i}`, root, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

function checkCombined(
  schema: JsonObject,
  value: Json,
  pointer: string,
  root: Root,
  depth: number,
): Mismatch | null {
  const fits = (inner: Json) => check(inner, value, pointer, root, depth + 1) === null;
  if (Array.isArray(schema.allOf)) {
    for (const inner of schema.allOf) {
      const problem = check(inner, value, pointer, root, depth + 1);
      if (problem !== null) return problem;
    }
  }
  if (Array.isArray(schema.anyOf) && !schema.anyOf.some(fits))
    return { pointer, message: 'fits none of the allowed forms' };
  if (Array.isArray(schema.oneOf) && schema.oneOf.filter(fits).length !== 1)
    return { pointer, message: 'must fit exactly one of the allowed forms' };
  if (schema.not !== undefined && fits(schema.not))
    return { pointer, message: 'has a form that is not allowed' };
  return null;
}

/** Target of a local reference (`#/$defs/x`); undefined when there is none. */
export function resolvePointer(root: Json, reference: string): Json | undefined {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let at: Json | undefined = root;
  for (const part of reference.slice(2).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = at[Number(key)];
    else if (at !== undefined && isJsonObject(at) && Object.hasOwn(at, key)) at = at[key];
    else return undefined;
  }
  return at;
}
