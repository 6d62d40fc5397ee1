import { type CelType, celTypeOf, checkExpression } from '@/lib/engine/expression/check';
import { type ParsedExpression, parseExpression } from '@/lib/engine/expression/parse-expression';
import type { Knowledge } from '@/lib/engine/knowledge';
import type { Problems } from '@/lib/engine/problems';
import type { PlacedGraph, PlacedNode } from '@/lib/engine/validate-graphs';
import { type Order, orderOf } from '@/lib/engine/validate-order';
import { collectSites, type Site } from '@/lib/engine/validate-sites';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { isAppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';

/** What the checks of expressions share. */
interface World {
  definition: WorkflowDefinition;
  knowledge: Knowledge | undefined;
  problems: Problems;
  orders: Map<PlacedGraph, Order>;
  nodes: Map<string, PlacedNode>;
}

/** Type of an expression that fills a whole field, for the check of tool arguments. */
export type FieldTypes = Map<string, string>;

/** Parses, resolves and type-checks every expression. Gives the types of fields that are one expression, by pointer. */
export function checkExpressions(
  definition: WorkflowDefinition,
  graphs: readonly PlacedGraph[],
  knowledge: Knowledge | undefined,
  problems: Problems,
): FieldTypes {
  const nodes = new Map<string, PlacedNode>();
  for (const graph of graphs)
    for (const placed of graph.nodes) if (!nodes.has(placed.node.id)) nodes.set(placed.node.id, placed);
  const world: World = {
    definition,
    knowledge,
    problems,
    orders: new Map(graphs.map((graph) => [graph, orderOf(graph)])),
    nodes,
  };
  const { sites, broken } = collectSites(definition, graphs);
  const types: FieldTypes = new Map();
  for (const { pointer, placed, message } of broken) {
    problems.error(
      'EXPRESSION_INVALID',
      placed?.node.id ?? null,
      pointer,
      message,
      'Close the expression with }, or write $${ for a literal ${.',
    );
  }
  for (const site of sites) {
    let parsed: ParsedExpression;
    try {
      parsed = parseExpression(site.source);
    } catch (error) {
      if (!isAppError(error)) throw error;
      problems.error(
        'EXPRESSION_INVALID',
        site.placed?.node.id ?? null,
        site.pointer,
        error.message,
        'Correct the expression; docs/workflow-reference.md lists what it may use.',
      );
      continue;
    }
    if (!checkNames(world, site, parsed)) continue;
    const type = checkTypes(world, site, parsed);
    if (type !== null && site.whole) types.set(site.pointer, type);
    checkConstant(world, site, parsed);
  }
  return types;
}

/** Loop variables around a place, innermost first, and the containers themselves. */
function surroundings(site: Site): {
  variables: Set<string>;
  chain: { graph: PlacedGraph; at: PlacedNode | null }[];
} {
  const variables = new Set(site.extra);
  const chain: { graph: PlacedGraph; at: PlacedNode | null }[] = [];
  let graph = site.after ?? site.placed?.graph ?? null;
  let at = site.after === null ? site.placed : null;
  while (graph !== null) {
    chain.push({ graph, at });
    const { owner } = graph;
    if (owner?.node.kind === 'loop') {
      variables.add(owner.node.indexAs ?? 'index');
      variables.add(owner.node.mode === 'for-each' ? (owner.node.as ?? 'item') : 'last');
    }
    at = owner;
    graph = owner?.graph ?? null;
  }
  return { variables, chain };
}

function checkNames(world: World, site: Site, parsed: ParsedExpression): boolean {
  const { problems } = world;
  const id = site.placed?.node.id ?? null;
  const { variables, chain } = surroundings(site);
  let sound = true;
  for (const name of parsed.names) {
    if (name === 'input' || name === 'run' || variables.has(name)) continue;
    const placed = world.nodes.get(name);
    if (placed === undefined) {
      const known = () => [
        ...chain.flatMap(({ graph }) => [...graph.byId.keys()]),
        ...variables,
        'input',
        'run',
      ];
      problems.error(
        'REFERENCE_UNKNOWN',
        id,
        site.pointer,
        `There is no \`${name}\` that the expression could mean.`,
        problems.didYouMean(name, known, 'Name a node, `input`, `run` or a loop variable.'),
      );
      sound = false;
      continue;
    }
    const level = chain.find(({ graph }) => graph === placed.graph);
    if (level === undefined) {
      const owner = placed.graph.owner?.node.id;
      problems.error(
        'REFERENCE_HIDDEN',
        id,
        site.pointer,
        `${name} lies inside ${owner ?? 'another container'} and cannot be seen from here.`,
        `Use the result of ${owner ?? 'the container'}: \${${owner ?? 'container'}.output}.`,
      );
      sound = false;
    } else if (!checkOrder(world, site, parsed, placed, level)) sound = false;
  }
  return sound;
}

function checkOrder(
  world: World,
  site: Site,
  parsed: ParsedExpression,
  target: PlacedNode,
  level: { graph: PlacedGraph; at: PlacedNode | null },
): boolean {
  const { problems } = world;
  const id = site.placed?.node.id ?? null;
  const name = target.node.id;
  const order = world.orders.get(level.graph);
  if (order === undefined) return true;
  if (level.at === null) {
    if (!order.certain.has(name) && !isGuarded(parsed, name)) {
      problems.warn(
        'REFERENCE_MAY_BE_NULL',
        id,
        site.pointer,
        `${name} may be skipped: its output is then null.`,
        `Write default(${name}.output, …).`,
      );
    }
    return true;
  }
  if (level.at === target) {
    // Compensation runs after the node itself.
    if (site.self && level.at === site.placed) return true;
    problems.error(
      'REFERENCE_SELF',
      id,
      site.pointer,
      `${name} refers to its own result before there is one.`,
      'Refer to a node before it.',
    );
    return false;
  }
  if (order.isBefore(level.at, name)) return true;
  if (!order.mayBeBefore(level.at, name)) {
    problems.error(
      'REFERENCE_NOT_BEFORE',
      id,
      site.pointer,
      `${name} does not run before ${level.at.node.id}.`,
      `Add an edge that leads from ${name} to ${level.at.node.id}, or refer to another node.`,
    );
    return false;
  }
  if (level.at.node.kind === 'aggregator' || isGuarded(parsed, name)) return true;
  problems.error(
    'REFERENCE_NOT_CERTAIN',
    id,
    site.pointer,
    `${name} does not run on every way to ${level.at.node.id}.`,
    `Write default(${name}.output, …), or ask ${name}.status first.`,
  );
  return false;
}

/** True when the expression provides for a skipped node: default(), has(), `.?`, or only status and error are asked. */
function isGuarded(parsed: ParsedExpression, name: string): boolean {
  const asked = parsed.paths.filter((path) => path[0] === name);
  if (asked.every((path) => path[1] === 'status' || path[1] === 'error')) return true;
  return /\bdefault\(|\bhas\(|\.\?|\[\?|\.status\b/.test(parsed.source);
}

const HARD_TYPE_ERRORS = new Set([
  'no_such_overload',
  'no_matching_overload',
  'invalid_condition_type',
  'invalid_logical_operand',
  'invalid_comprehension_range',
]);

function checkTypes(world: World, site: Site, parsed: ParsedExpression): string | null {
  const variables: Record<string, CelType> = {};
  for (const name of parsed.names) {
    if (name === 'run') variables.run = RUN_TYPE;
    else if (name === 'input') variables.input = celTypeOf(world.definition.input as Json | undefined);
    else {
      const placed = world.nodes.get(name);
      if (placed !== undefined)
        variables[name] = {
          output: outputType(world, placed),
          status: 'string',
          error: 'dyn',
          port: 'dyn',
          attempt: 'double',
        };
    }
  }
  const result = checkExpression(parsed.source, variables);
  if ('type' in result) return result.type;
  const id = site.placed?.node.id ?? null;
  const { code, message } = result.problem;
  if (HARD_TYPE_ERRORS.has(code)) {
    world.problems.error(
      'TYPE_MISMATCH',
      id,
      site.pointer,
      `${plain(message)} (in ${parsed.source.slice(0, 120)}).`,
      'Convert one side: string(…), int(…), double(…); or compare values of one type.',
    );
  } else if (/No such key/.test(message)) {
    const field = message.replace(/^.*No such key: /, '');
    world.problems.warn(
      'FIELD_UNKNOWN',
      id,
      site.pointer,
      `The schema does not know the field ${field} (in ${parsed.source.slice(0, 120)}).`,
      'Check the name against the schema, or read it with .? and orValue().',
    );
  }
  return null;
}

/** The checker's wording in ours. */
function plain(message: string): string {
  const found = /^no such overload: (.*)$/.exec(message);
  return found === null ? message.replace(/\.$/, '') : `${found[1]} is not possible`;
}

const RUN_TYPE: CelType = {
  id: 'string',
  workflowId: 'string',
  workflow: 'string',
  version: 'double',
  startedAt: 'string',
  startedBy: 'string',
  failure: 'dyn',
};

function outputType({ knowledge }: World, { node }: PlacedNode): CelType {
  // Null after a failure, which no type of CEL can say besides.
  if (node.onError === 'continue') return 'dyn';
  switch (node.kind) {
    case 'mcp-server': {
      const schema = knowledge?.servers.get(node.server)?.get(node.tool)?.outputSchema;
      const structured = schema === undefined || schema === null ? 'dyn' : celTypeOf(schema as Json);
      return {
        content: 'list<dyn>',
        structuredContent: structured,
        isError: 'bool',
        text: 'string',
        json: structured,
      };
    }
    case 'approval':
      return { approved: 'bool', form: celTypeOf(node.form as Json | undefined), decisions: 'list<dyn>' };
    case 'loop':
      return node.mode === 'for-each'
        ? { count: 'double', results: 'list<dyn>', failures: 'list<dyn>' }
        : { count: 'double', last: 'dyn' };
    default:
      return 'dyn';
  }
}

/** A condition that is always the same makes a branch dead. */
function checkConstant(world: World, site: Site, parsed: ParsedExpression): void {
  if (site.placed?.node.kind !== 'condition' || parsed.ast.op !== 'value') return;
  world.problems.warn(
    'DEAD_BRANCH',
    site.placed.node.id,
    site.pointer,
    `The condition is always ${parsed.source}.`,
    'Ask for something that can differ, or remove the case.',
  );
}
