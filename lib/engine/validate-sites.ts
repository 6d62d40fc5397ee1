import { bareExpression, splitTemplate } from '@/lib/engine/expression/template';
import type { PlacedGraph, PlacedNode } from '@/lib/engine/validate-graphs';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { ApprovalSettings, CompensateSettings } from '@/lib/protocol/definition-common';
import { isAppError } from '@/lib/protocol/errors';

/** One expression with its place and what it may see. */
export interface Site {
  pointer: string;
  source: string;
  /** Node the expression belongs to; null for the workflow itself. */
  placed: PlacedNode | null;
  /** Graph whose finished nodes it sees (results of graphs), or null for what a node sees before it begins. */
  after: PlacedGraph | null;
  /** True for compensation: the node's own result is there too. */
  self: boolean;
  /** True when the expression is all of its string: its type is the type of the field. */
  whole: boolean;
  /** Names of its own (while conditions). */
  extra: readonly string[];
}

/** A string that cannot be cut into expressions. */
export interface BrokenTemplate {
  pointer: string;
  placed: PlacedNode | null;
  message: string;
}

type Context = Pick<Site, 'placed' | 'after' | 'self' | 'extra'>;

/** Every expression of a definition. */
export function collectSites(
  definition: WorkflowDefinition,
  graphs: readonly PlacedGraph[],
): { sites: Site[]; broken: BrokenTemplate[] } {
  const collector = new Collector();
  const outside: Context = { placed: null, after: null, self: false, extra: [] };
  collector.template(definition.searchAttributes, '/searchAttributes', outside);
  for (const graph of graphs) {
    if (graph.output !== null)
      collector.template(graph.output.value, graph.output.pointer, {
        ...outside,
        placed: graph.owner,
        after: graph,
      });
    for (const placed of graph.nodes) collectNode(collector, placed);
  }
  return collector;
}

class Collector {
  readonly sites: Site[] = [];
  readonly broken: BrokenTemplate[] = [];

  template(value: unknown, pointer: string, context: Context): void {
    if (typeof value === 'string') this.text(value, pointer, context);
    else if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) this.template(item, `${pointer}/${i}`, context);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        this.template(item, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, context);
      }
    }
  }

  expression(source: string, pointer: string, context: Context): void {
    this.guard(pointer, context, () =>
      this.sites.push({ ...context, pointer, source: bareExpression(source), whole: true }),
    );
  }

  private text(value: string, pointer: string, context: Context): void {
    if (!value.includes('${')) return;
    this.guard(pointer, context, () => {
      const pieces = splitTemplate(value);
      for (const piece of pieces) {
        if ('source' in piece)
          this.sites.push({ ...context, pointer, source: piece.source, whole: pieces.length === 1 });
      }
    });
  }

  private guard(pointer: string, context: Context, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!isAppError(error)) throw error;
      this.broken.push({ pointer, placed: context.placed, message: error.message });
    }
  }
}

function collectNode(collector: Collector, placed: PlacedNode): void {
  const { node, pointer } = placed;
  const context: Context = { placed, after: null, self: false, extra: [] };
  const take = (field: string, value: unknown) => collector.template(value, `${pointer}/${field}`, context);
  switch (node.kind) {
    case 'mcp-server':
      take('arguments', node.arguments);
      break;
    case 'activity':
      take('input', node.input);
      break;
    case 'transform':
    case 'aggregator':
      take('output', node.output);
      break;
    case 'condition':
      for (const [i, { when }] of node.cases.entries()) {
        collector.expression(when, `${pointer}/cases/${i}/when`, context);
      }
      break;
    case 'wait':
      take('duration', node.duration);
      take('until', node.until);
      take('signal', node.signal);
      break;
    case 'approval':
      collectApproval(collector, node, pointer, context);
      break;
    case 'subworkflow':
      take('input', node.input);
      take('workflowId', node.workflowId);
      break;
    case 'terminate':
      take('output', node.output);
      take('input', node.input);
      take('message', node.message);
      break;
    case 'loop':
      if (typeof node.items === 'string') collector.expression(node.items, `${pointer}/items`, context);
      else take('items', node.items);
      if (node.while !== undefined)
        collector.expression(node.while, `${pointer}/while`, {
          ...context,
          extra: ['last', node.indexAs ?? 'index'],
        });
      break;
    default:
  }
  if (node.kind !== 'mcp-server' && node.kind !== 'activity') return;
  if (node.approval !== undefined) collectApproval(collector, node.approval, `${pointer}/approval`, context);
  if (node.compensate !== undefined)
    collectCompensate(collector, node.compensate, `${pointer}/compensate`, { ...context, self: true });
}

function collectApproval(
  collector: Collector,
  settings: ApprovalSettings,
  pointer: string,
  context: Context,
): void {
  collector.template(settings.title, `${pointer}/title`, context);
  collector.template(settings.description, `${pointer}/description`, context);
}

function collectCompensate(
  collector: Collector,
  settings: CompensateSettings,
  pointer: string,
  context: Context,
): void {
  if ('server' in settings) collector.template(settings.arguments, `${pointer}/arguments`, context);
  else collector.template(settings.input, `${pointer}/input`, context);
}
