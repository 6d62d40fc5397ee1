import type { Knowledge } from '@/lib/engine/knowledge';
import { type PlacedGraph, placeGraphs } from '@/lib/engine/validate-graphs';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { WorkflowNode } from '@/lib/protocol/definition-nodes';
import { pathOf, pathSteps } from '@/lib/protocol/sensitive';
import { isJsonObject, type Json } from '@/lib/shared/json';

const MAX_DEPTH = 40;
const COMBINED = ['allOf', 'anyOf', 'oneOf'] as const;
const BRANCHED = ['if', 'then', 'else'] as const;

/** Definitions that a workflow starts as children, as far as they are known. */
export type ChildDefinitions = (
  workflow: string,
  version: number | undefined,
) => WorkflowDefinition | undefined;

/**
 * Every sensitive path of a workflow: those that its definition lists, and those that schemas mark (`"x-sensitive": true` or
 * `"writeOnly": true`): of its input and output, of the forms of its questions, of the tools that it calls, and of the input and
 * output of its children.
 */
export function sensitivePaths(
  definition: WorkflowDefinition,
  knowledge?: Knowledge,
  children: ChildDefinitions = () => undefined,
): string[] {
  const found = new Set<string>(definition.sensitive);
  const add = (schema: Json | undefined, at: readonly string[]) => {
    if (schema !== undefined) for (const steps of markedIn(schema)) found.add(pathOf([...at, ...steps]));
  };
  add(definition.input as Json | undefined, ['input']);
  add(definition.outputSchema as Json | undefined, ['output']);
  for (const { node } of placeGraphs(definition).flatMap((graph: PlacedGraph) => graph.nodes)) {
    const at = ['nodes', node.id];
    const form = node.kind === 'approval' ? node.form : 'approval' in node ? node.approval?.form : undefined;
    add(form as Json | undefined, [...at, 'output', 'form']);
    for (const { server, tool, side } of toolsOf(node)) {
      const known = knowledge?.servers.get(server)?.get(tool);
      if (known === undefined) continue;
      add(known.inputSchema as Json, [...at, side]);
      if (side === 'input') add((known.outputSchema ?? undefined) as Json | undefined, [...at, 'output']);
    }
    if (node.kind !== 'subworkflow') continue;
    const child = children(node.workflow, node.version);
    if (child === undefined || child === definition) continue;
    for (const path of sensitivePaths(child)) {
      const steps = pathSteps(path);
      if (steps?.[0] === 'input' || steps?.[0] === 'output') found.add(pathOf([...at, ...steps]));
    }
  }
  return [...found];
}

function toolsOf(node: WorkflowNode): { server: string; tool: string; side: 'input' | 'compensate' }[] {
  const { compensate } = node as { compensate?: { server?: string; tool?: string } };
  return [
    ...(node.kind === 'mcp-server' ? [{ server: node.server, tool: node.tool, side: 'input' as const }] : []),
    ...(compensate?.server !== undefined && compensate.tool !== undefined
      ? [{ server: compensate.server, tool: compensate.tool, side: 'compensate' as const }]
      : []),
  ];
}

/** Places in the values of a JSON Schema that it marks as sensitive, as steps; `*` for every item or further property. */
export function markedIn(schema: Json): string[][] {
  const found: string[][] = [];
  look(schema, schema, [], found, new Set(), 0);
  return found;
}

function look(
  schema: Json,
  root: Json,
  at: string[],
  found: string[][],
  seen: ReadonlySet<Json>,
  depth: number,
): void {
  if (!isJsonObject(schema) || depth > MAX_DEPTH || seen.has(schema)) return;
  if (schema['x-sensitive'] === true || schema.writeOnly === true) {
    found.push(at);
    return;
  }
  const inside = new Set([...seen, schema]);
  const go = (part: Json | undefined, steps: string[]) => {
    if (part !== undefined) look(part, root, steps, found, inside, depth + 1);
  };
  if (typeof schema.$ref === 'string') go(local(root, schema.$ref), at);
  for (const [name, part] of Object.entries(isJsonObject(schema.properties) ? schema.properties : {}))
    go(part, [...at, name]);
  for (const part of Object.values(isJsonObject(schema.patternProperties) ? schema.patternProperties : {}))
    go(part, [...at, '*']);
  go(schema.additionalProperties, [...at, '*']);
  go(schema.items, [...at, '*']);
  if (Array.isArray(schema.prefixItems))
    for (const [i, part] of schema.prefixItems.entries()) go(part, [...at, String(i)]);
  for (const key of COMBINED)
    if (Array.isArray(schema[key])) for (const part of schema[key] as Json[]) go(part, at);
  for (const key of BRANCHED) go(schema[key], at);
}

/** What a local reference (`#/$defs/card`) stands for. */
function local(root: Json, ref: string): Json | undefined {
  const steps = ref.startsWith('#') ? pathSteps(ref.slice(1)) : null;
  let value: Json | undefined = ref === '#' ? root : steps === null ? undefined : root;
  for (const step of steps ?? []) value = isJsonObject(value) ? value[step] : undefined;
  return value;
}

/** False when a schema says all that a value can hold, and nothing lies at these steps; true when it may. */
export function mayHold(
  schema: Json | undefined,
  steps: readonly string[],
  root: Json | undefined = schema,
): boolean {
  const [first, ...rest] = steps;
  if (first === undefined || !isJsonObject(schema) || root === undefined) return true;
  if (typeof schema.$ref === 'string') return mayHold(local(root, schema.$ref), steps, root);
  if (COMBINED.some((key) => schema[key] !== undefined)) return true;
  if (isJsonObject(schema.properties)) {
    if (first === '*') return true;
    if (Object.hasOwn(schema.properties, first)) return mayHold(schema.properties[first], rest, root);
    return isJsonObject(schema.patternProperties) || isJsonObject(schema.additionalProperties);
  }
  if (isJsonObject(schema.items)) return /^(?:\*|\d+)$/.test(first) && mayHold(schema.items, rest, root);
  return true;
}
