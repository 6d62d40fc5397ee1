import { firstMismatch } from '@/lib/engine/json-schema';
import type { Knowledge } from '@/lib/engine/knowledge';
import type { Problems } from '@/lib/engine/problems';
import type { FieldTypes } from '@/lib/engine/validate-expressions';
import type { PlacedGraph } from '@/lib/engine/validate-graphs';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';

interface Call {
  nodeId: string;
  pointer: string;
  server: string;
  tool: string;
  arguments: JsonObject;
  guarded: boolean;
}

/** Servers, tools and arguments against what is known of them. */
export function checkCalls(
  graphs: readonly PlacedGraph[],
  knowledge: Knowledge,
  types: FieldTypes,
  problems: Problems,
): void {
  for (const call of callsOf(graphs)) {
    const tools = knowledge.servers.get(call.server);
    if (tools === undefined) {
      problems.error(
        'SERVER_UNKNOWN',
        call.nodeId,
        `${call.pointer}/server`,
        `There is no server ${call.server}.`,
        problems.didYouMean(
          call.server,
          () => knowledge.servers.keys(),
          'Connect the server first, or name another one.',
        ),
      );
      continue;
    }
    // A server whose tools were never read is known by an empty list.
    if (tools.size === 0) continue;
    const tool = tools.get(call.tool);
    if (tool === undefined) {
      problems.error(
        'TOOL_UNKNOWN',
        call.nodeId,
        `${call.pointer}/tool`,
        `The server ${call.server} has no tool ${call.tool}.`,
        problems.didYouMean(
          call.tool,
          () => tools.keys(),
          `It has: ${[...tools.keys()].slice(0, 12).join(', ')}.`,
        ),
      );
      continue;
    }
    checkArguments(call, tool.inputSchema as Json, types, problems);
    if (
      tool.annotations.destructiveHint === true &&
      tool.annotations.readOnlyHint !== true &&
      !call.guarded
    ) {
      problems.warn(
        'DESTRUCTIVE_TOOL',
        call.nodeId,
        `${call.pointer}/tool`,
        `${call.tool} says of itself that it can destroy data.`,
        'Ask people first: add `approval` to the node.',
      );
    }
  }
}

function callsOf(graphs: readonly PlacedGraph[]): Call[] {
  const calls: Call[] = [];
  for (const { node, pointer } of graphs.flatMap((graph) => graph.nodes)) {
    if (node.kind === 'mcp-server') {
      calls.push({
        nodeId: node.id,
        pointer,
        server: node.server,
        tool: node.tool,
        arguments: (node.arguments ?? {}) as JsonObject,
        guarded: node.approval !== undefined,
      });
    }
    if (
      (node.kind === 'mcp-server' || node.kind === 'activity') &&
      node.compensate !== undefined &&
      'server' in node.compensate
    ) {
      const { server, tool } = node.compensate;
      calls.push({
        nodeId: node.id,
        pointer: `${pointer}/compensate`,
        server,
        tool,
        arguments: (node.compensate.arguments ?? {}) as JsonObject,
        guarded: true,
      });
    }
  }
  return calls;
}

const hasExpression = (value: Json): boolean =>
  typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value).includes('${') : false;

function checkArguments(call: Call, schema: Json, types: FieldTypes, problems: Problems): void {
  if (!isJsonObject(schema)) return;
  const at = `${call.pointer}/arguments`;
  const properties = isJsonObject(schema.properties ?? null) ? (schema.properties as JsonObject) : {};
  for (const name of Array.isArray(schema.required) ? schema.required.map(String) : []) {
    if (!Object.hasOwn(call.arguments, name)) {
      problems.error(
        'ARGUMENT_MISSING',
        call.nodeId,
        at,
        `${call.tool} needs the argument ${name}.`,
        `Add "${name}" to the arguments.`,
      );
    }
  }
  for (const [name, value] of Object.entries(call.arguments)) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (inner === undefined) {
      if (Object.keys(properties).length === 0 && schema.additionalProperties !== false) continue;
      const fix = problems.didYouMean(
        name,
        () => Object.keys(properties),
        `${call.tool} takes: ${Object.keys(properties).join(', ') || 'nothing'}.`,
      );
      if (schema.additionalProperties === false)
        problems.error(
          'ARGUMENT_UNKNOWN',
          call.nodeId,
          `${at}/${name}`,
          `${call.tool} takes no argument ${name}.`,
          fix,
        );
      else
        problems.warn(
          'ARGUMENT_UNKNOWN',
          call.nodeId,
          `${at}/${name}`,
          `${call.tool} does not say that it takes ${name}.`,
          fix,
        );
    } else if (!hasExpression(value)) {
      const wrong = isSecret(value)
        ? null
        : firstMismatch({ ...(isJsonObject(inner) ? inner : {}), ...defsOf(schema) }, value);
      if (wrong !== null)
        problems.error(
          'ARGUMENT_TYPE',
          call.nodeId,
          `${at}/${name}${wrong.pointer}`,
          `${name} ${wrong.message}.`,
          'Give a value that fits the input schema of the tool.',
        );
    } else checkExpressionType(call, name, inner, types.get(`${at}/${name}`), at, problems);
  }
}

const isSecret = (value: Json): boolean => isJsonObject(value) && typeof value.$secret === 'string';

function defsOf(schema: JsonObject): JsonObject {
  return {
    ...(schema.$defs === undefined ? {} : { $defs: schema.$defs }),
    ...(schema.definitions === undefined ? {} : { definitions: schema.definitions }),
  };
}

const FITS: Record<string, readonly string[]> = {
  string: ['string', 'google.protobuf.Timestamp', 'google.protobuf.Duration', 'type'],
  double: ['number', 'integer'],
  int: ['number', 'integer'],
  uint: ['number', 'integer'],
  bool: ['boolean'],
};

/** An argument that is one expression: its type against the type of the schema, where both are plain. */
function checkExpressionType(
  call: Call,
  name: string,
  schema: Json,
  type: string | undefined,
  at: string,
  problems: Problems,
): void {
  if (type === undefined || !isJsonObject(schema) || typeof schema.type !== 'string') return;
  const wanted = schema.type;
  const accepted =
    type === 'string'
      ? ['string']
      : type.startsWith('list')
        ? ['array']
        : type === 'map' || type.startsWith('map<')
          ? ['object']
          : FITS[type];
  if (accepted === undefined || accepted.includes(wanted)) return;
  problems.error(
    'ARGUMENT_TYPE',
    call.nodeId,
    `${at}/${name}`,
    `${name} must be ${wanted}, but the expression gives ${type}.`,
    wanted === 'string' ? 'Wrap it in string(…).' : `Make the expression give a value of the type ${wanted}.`,
  );
}
