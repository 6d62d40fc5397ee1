import { durationMs } from '@/lib/engine/duration';
import { compileExpression } from '@/lib/engine/expression/compile-expression';
import { bareExpression, compileTemplate, type Template } from '@/lib/engine/expression/template';
import type { CompiledApproval, CompiledCall, CompiledNode } from '@/lib/engine/program';
import { attemptTimeoutMs, retryPolicy } from '@/lib/engine/retry-policy';
import type { ApprovalSettings, CompensateSettings } from '@/lib/protocol/definition-common';
import type { ActivityNode, McpServerNode, WorkflowNode } from '@/lib/protocol/definition-nodes';
import { AppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';

/** Runs `make`; an AppError it throws gets `pointer` put before its path. */
export function placed<T>(pointer: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof AppError) {
      throw new AppError(error.code, error.message, {
        path: pointer + (error.path ?? ''),
        details: error.details,
      });
    }
    throw error;
  }
}

const template = (pointer: string, value: Json): Template => placed(pointer, () => compileTemplate(value));
const expression = (pointer: string, source: string) =>
  placed(pointer, () => compileExpression(bareExpression(source)));

function call(source: McpServerNode | ActivityNode | CompensateSettings, pointer: string): CompiledCall {
  const common = {
    timeoutMs: attemptTimeoutMs(source.timeout, source.preset),
    retry: retryPolicy(source.retry, source.preset),
    idempotent: source.idempotent,
  };
  if ('server' in source) {
    return {
      ...common,
      target: { kind: 'mcp', server: source.server, tool: source.tool },
      input: template(`${pointer}/arguments`, (source.arguments ?? {}) as Json),
    };
  }
  return {
    ...common,
    target: { kind: 'function', name: source.activity },
    input: template(`${pointer}/input`, (source.input ?? null) as Json),
  };
}

function approval(settings: ApprovalSettings, fallback: string, pointer: string): CompiledApproval {
  return {
    settings,
    title: template(`${pointer}/title`, settings.title ?? fallback),
    description:
      settings.description === undefined
        ? undefined
        : template(`${pointer}/description`, settings.description),
  };
}

/**
 * Prepares the parts of a node that depend on its kind: expressions, calls, times. Bodies and edges come later.
 * Throws AppError EXPRESSION_INVALID with `path` = JSON pointer into the definition.
 */
export function compileNodeParts(node: WorkflowNode, pointer: string): Partial<CompiledNode> {
  switch (node.kind) {
    case 'mcp-server':
    case 'activity': {
      const parts: Partial<CompiledNode> = { call: call(node, pointer) };
      if (node.compensate !== undefined) parts.compensate = call(node.compensate, `${pointer}/compensate`);
      if (node.approval !== undefined)
        parts.approval = approval(node.approval, `Run ${node.name ?? node.id}?`, `${pointer}/approval`);
      return parts;
    }
    case 'transform':
      return { output: template(`${pointer}/output`, node.output as Json) };
    case 'condition':
      return {
        cases: node.cases.map(({ port, when }, i) => ({
          port,
          when: expression(`${pointer}/cases/${i}/when`, when),
        })),
      };
    case 'aggregator':
      return node.output === undefined ? {} : { output: template(`${pointer}/output`, node.output as Json) };
    case 'wait':
      if (node.signal !== undefined)
        return { wait: { kind: 'signal', value: template(`${pointer}/signal`, node.signal) } };
      if (node.until !== undefined)
        return { wait: { kind: 'until', value: template(`${pointer}/until`, node.until) } };
      return { wait: { kind: 'duration', value: template(`${pointer}/duration`, node.duration as Json) } };
    case 'approval':
      return { approval: approval(node, node.name ?? node.id, pointer) };
    case 'subworkflow':
      return {
        input: template(`${pointer}/input`, (node.input ?? null) as Json),
        ...(node.workflowId === undefined
          ? {}
          : { workflowId: template(`${pointer}/workflowId`, node.workflowId) }),
        ...containerTimeout(node.timeout),
      };
    case 'terminate':
      return {
        ...(node.output === undefined ? {} : { output: template(`${pointer}/output`, node.output as Json) }),
        ...(node.input === undefined ? {} : { input: template(`${pointer}/input`, node.input as Json) }),
        ...(node.message === undefined ? {} : { message: template(`${pointer}/message`, node.message) }),
      };
    case 'loop':
      return {
        ...(node.items === undefined
          ? {}
          : {
              items:
                typeof node.items === 'string'
                  ? expression(`${pointer}/items`, node.items)
                  : template(`${pointer}/items`, node.items as Json),
            }),
        ...(node.while === undefined ? {} : { while: expression(`${pointer}/while`, node.while) }),
        ...(node.output === undefined ? {} : { output: template(`${pointer}/output`, node.output as Json) }),
        ...containerTimeout(node.timeout),
      };
    case 'sequential':
      return {
        ...(node.output === undefined ? {} : { output: template(`${pointer}/output`, node.output as Json) }),
        ...containerTimeout(node.timeout),
      };
    default:
      return containerTimeout(node.timeout);
  }
}

function containerTimeout(timeout: string | number | undefined): { timeoutMs?: number } {
  return timeout === undefined ? {} : { timeoutMs: durationMs(timeout) };
}
