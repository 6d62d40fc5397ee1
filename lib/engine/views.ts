import type { Program } from '@/lib/engine/program';
import { compiledOf } from '@/lib/engine/state';
import type { NodeState, RunState } from '@/lib/engine/types';
import type { Failure, NodeView, RunStatus } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';

const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());

/** Nodes of a run as people see them, in the order in which they began; nodes nothing has happened to are left out. */
export function toNodeViews(program: Program, state: RunState): NodeView[] {
  return [...state.nodes.values()]
    .filter((node) => node.order > 0)
    .sort((a, b) => a.order - b.order)
    .map((node) => toNodeView(program, node));
}

/** One node of a run as people see it. */
export function toNodeView(program: Program, node: NodeState): NodeView {
  const { kind, call, node: definition } = compiledOf(program, node);
  const target = call?.target;
  return {
    path: node.path,
    nodeId: node.id,
    kind,
    name: definition.name ?? null,
    status: node.status,
    attempt: (node.compensation ?? node.call)?.attempt ?? (node.startedAt === undefined ? 0 : 1),
    startedAt: iso(node.startedAt),
    endedAt: iso(node.endedAt),
    durationMs:
      node.startedAt === undefined || node.endedAt === undefined ? null : node.endedAt - node.startedAt,
    server: target?.kind === 'mcp' ? target.server : null,
    tool: target === undefined ? null : target.kind === 'mcp' ? target.tool : target.name,
    input: inputOf(node),
    output: node.output ?? null,
    failure: (node.failure as Failure | undefined) ?? null,
  };
}

function inputOf(node: NodeState): Json {
  return node.call?.input ?? node.approval?.subject ?? node.child?.input ?? node.progress?.items ?? null;
}

/** The parts of a run's detail that come from its state. Times are ISO 8601 UTC. */
export interface RunDetailParts {
  status: RunStatus;
  createdAt: string;
  closedAt: string | null;
  durationMs: number | null;
  historyLength: number;
  failure: Failure | null;
  input: Json;
  output: Json | null;
  nodes: NodeView[];
}

/** A run as its detail page and REST body show it: the fold of its events, like the seed's `WorkflowState.fromEvents`. */
export function toRunDetailParts(program: Program, state: RunState): RunDetailParts {
  return {
    status: state.status,
    createdAt: new Date(state.startedAt).toISOString(),
    closedAt: iso(state.closedAt),
    durationMs: state.closedAt === undefined ? null : state.closedAt - state.startedAt,
    historyLength: state.historyLength,
    failure: state.failure ?? null,
    input: state.input,
    output: state.output ?? null,
    nodes: toNodeViews(program, state),
  };
}
