import type { Expression } from '@/lib/engine/expression/compile-expression';
import type { Template } from '@/lib/engine/expression/template';
import type { RetryPolicy } from '@/lib/engine/retry-policy';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { ApprovalSettings, Join, NodeKind } from '@/lib/protocol/definition-common';
import type { WorkflowNode } from '@/lib/protocol/definition-nodes';
import type { ActivityTarget } from '@/lib/protocol/events-common';

/** A call that a node makes, forward or to undo it. */
export interface CompiledCall {
  target: ActivityTarget;
  input: Template;
  timeoutMs: number;
  retry: RetryPolicy;
  idempotent: boolean | undefined;
}

export interface CompiledApproval {
  settings: ApprovalSettings;
  title: Template;
  description: Template | undefined;
}

export interface CompiledEdge {
  from: CompiledNode;
  to: CompiledNode;
  port: string | undefined;
}

/** A node with its place in the graph and its expressions prepared. */
export interface CompiledNode {
  id: string;
  kind: NodeKind;
  node: WorkflowNode;
  /** JSON pointer into the definition. */
  pointer: string;
  /** Key of the graph that it lies in. */
  graph: string;
  join: Join;
  incoming: CompiledEdge[];
  outgoing: CompiledEdge[];
  /** True when a failure of the node goes by an error route, a tolerant join or onError. */
  handlesFailure: boolean;
  /** Keys of the graphs inside: one for sequential and loop, one per branch for parallel. */
  graphs: string[];
  call?: CompiledCall;
  compensate?: CompiledCall;
  approval?: CompiledApproval;
  /** transform, aggregator, terminate: its template; sequential and loop: the result of the body. */
  output?: Template;
  input?: Template;
  message?: Template;
  workflowId?: Template;
  cases?: { port: string; when: Expression }[];
  items?: Expression | Template;
  while?: Expression;
  wait?: { kind: 'duration' | 'until' | 'signal'; value: Template };
  timeoutMs?: number;
  /** aggregator with cancelRest: ids of the nodes that lead nowhere else. */
  servedOnly?: ReadonlySet<string>;
  /** Ids of the aggregators with cancelRest that the node runs for alone. */
  servesOnly?: string[];
}

/** One graph: the workflow itself (key ''), a sequence, a branch, the body of a loop. */
export interface Graph {
  key: string;
  /** Id of the container, or null for the workflow itself. */
  owner: string | null;
  nodes: CompiledNode[];
  roots: CompiledNode[];
  sinks: CompiledNode[];
  /** Result of a branch. */
  output?: Template;
}

/** A definition made ready to run. It holds no run's state: one program serves every run of its definition. */
export interface Program {
  definition: WorkflowDefinition;
  /** Ids are unique in the whole definition. */
  nodes: ReadonlyMap<string, CompiledNode>;
  graphs: ReadonlyMap<string, Graph>;
  output: Template | undefined;
  searchAttributes: Template | undefined;
  timeoutMs: number | undefined;
}
