/** Any value that survives JSON.stringify and JSON.parse unchanged. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A JSON object. */
export type JsonObject = { [key: string]: Json };

/** True for a plain JSON object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Levels that any value may be nested. Deeper ones are refused: schemas, the fold of events and JSON.stringify walk by recursion. */
export const MAX_NESTING = 200;

/** True when a value is nested more than `levels` deep; looks no deeper than that. */
export function isNestedDeeper(value: unknown, levels = MAX_NESTING): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isNestedDeeper(item, levels - 1));
  return Object.values(value).some((item) => isNestedDeeper(item, levels - 1));
}

/** How deep `roughBytes` looks: what is nested deeper is counted as if it were empty. */
const ROUGH_DEPTH = 64;

/**
 * Roughly how many bytes a JSON value takes up in memory. Strings are not looked into, so it costs a small part of what writing
 * the value as JSON text would.
 */
export function roughBytes(value: Json | undefined, depth = ROUGH_DEPTH): number {
  if (typeof value === 'string') return 16 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 32;
  if (depth === 0) return bytes;
  if (Array.isArray(value)) for (const item of value) bytes += roughBytes(item, depth - 1);
  else for (const key in value) bytes += 8 + roughBytes(value[key], depth - 1);
  return bytes;
}

/**
 * JSON text with object keys sorted at every level, so that equal values give equal text
 * (hashes of definitions and of tool schemas rest on it).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (!isJsonObject(inner)) return inner;
    const sorted: JsonObject = {};
    for (const key of Object.keys(inner).sort()) sorted[key] = inner[key] as Json;
    return sorted;
  });
}
