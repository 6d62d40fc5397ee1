import { durationMs } from '@/lib/engine/duration';
import type { Problems } from '@/lib/engine/problems';
import type { PlacedGraph, PlacedNode } from '@/lib/engine/validate-graphs';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { ApprovalSettings } from '@/lib/protocol/definition-common';
import { isJsonObject } from '@/lib/shared/json';

/** Times, bounds, people, secrets and settings without effect. */
export function checkLimits(
  definition: WorkflowDefinition,
  graphs: readonly PlacedGraph[],
  problems: Problems,
): void {
  const total = definition.timeout === undefined ? null : durationMs(definition.timeout);
  if (total === 0)
    problems.error(
      'TIMEOUT_ZERO',
      null,
      '/timeout',
      'The run would time out at once.',
      'Give a longer timeout, or none.',
    );
  for (const graph of graphs) {
    for (const placed of graph.nodes) {
      checkTimes(placed, total, problems);
      checkPeople(placed, problems);
      checkTerminate(placed, problems);
    }
  }
  if (definition.failureWorkflow === definition.name) {
    problems.error(
      'FAILURE_WORKFLOW_SELF',
      null,
      '/failureWorkflow',
      'The workflow is its own failure workflow: a failure would repeat for ever.',
      'Name another workflow.',
    );
  }
  for (const { node, pointer } of graphs.flatMap((graph) => graph.nodes)) {
    if (node.kind === 'subworkflow' && node.workflow === definition.name) {
      problems.warn(
        'SUBWORKFLOW_SELF',
        node.id,
        `${pointer}/workflow`,
        'The workflow starts itself.',
        'Make sure that a condition ends the recursion, or use a loop.',
      );
    }
  }
  checkSecrets(definition, graphs, problems);
}

function checkTimes({ node, pointer, outgoing }: PlacedNode, total: number | null, problems: Problems): void {
  const own = 'timeout' in node && node.timeout !== undefined ? durationMs(node.timeout) : null;
  if (own === 0)
    problems.error(
      'TIMEOUT_ZERO',
      node.id,
      `${pointer}/timeout`,
      `${node.id} would time out at once.`,
      'Give a longer timeout, or none.',
    );
  else if (own !== null && total !== null && total > 0 && own > total) {
    problems.warn(
      'TIMEOUT_EXCEEDS_RUN',
      node.id,
      `${pointer}/timeout`,
      `The timeout of ${node.id} is longer than that of the whole run.`,
      'Shorten it, or lengthen the timeout of the workflow.',
    );
  }
  const unbounded =
    (node.kind === 'wait' && node.signal !== undefined && node.timeout === undefined) ||
    (node.kind === 'approval' && node.deadline === undefined) ||
    (node.kind === 'subworkflow' && node.timeout === undefined);
  if (unbounded && total === null) {
    const field = node.kind === 'approval' ? 'deadline' : 'timeout';
    problems.warn(
      'NO_TIMEOUT',
      node.id,
      pointer,
      `${node.id} can wait for ever.`,
      `Give it a ${field}, or the workflow a timeout.`,
    );
  }
  if (
    outgoing.some((edge) => edge.port === 'timeout') &&
    node.kind === 'wait' &&
    node.timeout === undefined
  ) {
    problems.error(
      'PORT_NEVER_TAKEN',
      node.id,
      pointer,
      `${node.id} has an edge for its timeout, but no timeout.`,
      'Add "timeout".',
    );
  }
}

function checkPeople({ node, pointer }: PlacedNode, problems: Problems): void {
  if (node.kind === 'approval') checkApproval(node, node.id, pointer, problems);
  else if ('approval' in node && node.approval !== undefined)
    checkApproval(node.approval, node.id, `${pointer}/approval`, problems);
}

function checkApproval(
  settings: ApprovalSettings,
  nodeId: string,
  pointer: string,
  problems: Problems,
): void {
  const { approvers, quorum = 1, escalation, deadline } = settings;
  const users = new Set([...(approvers?.users ?? []), ...(escalation?.approvers.users ?? [])]);
  const roles = (approvers?.roles?.length ?? 0) + (escalation?.approvers.roles?.length ?? 0);
  const limited = (approvers?.users?.length ?? 0) + (approvers?.roles?.length ?? 0) > 0;
  if (limited && roles === 0 && quorum > users.size) {
    problems.error(
      'QUORUM_UNREACHABLE',
      nodeId,
      `${pointer}/quorum`,
      `${quorum} people must agree, but only ${users.size} may decide.`,
      `Lower the quorum to ${users.size}, or name more people.`,
    );
  }
  if (
    escalation !== undefined &&
    deadline !== undefined &&
    durationMs(escalation.after) >= durationMs(deadline)
  ) {
    problems.warn(
      'ESCALATION_TOO_LATE',
      nodeId,
      `${pointer}/escalation/after`,
      'The deadline comes before the escalation.',
      'Escalate earlier, or move the deadline.',
    );
  }
}

function checkTerminate({ node, pointer }: PlacedNode, problems: Problems): void {
  if (node.kind !== 'terminate' || node.input === undefined || node.status === 'continue-as-new') return;
  problems.warn(
    'FIELD_UNUSED',
    node.id,
    `${pointer}/input`,
    'input only has a meaning with status continue-as-new.',
    'Remove it, or set the status.',
  );
}

const LOOKS_SECRET = /^(sk|ghp|gho|xox[abp]|glpat|AKIA)[-_A-Za-z0-9]{12,}$|^Bearer [-_.A-Za-z0-9]{12,}$/;
const SECRET_FIELD = /^(password|passwd|secret|token|api[-_]?key|authorization|private[-_]?key)$/i;

function checkSecrets(
  definition: WorkflowDefinition,
  graphs: readonly PlacedGraph[],
  problems: Problems,
): void {
  const declared = new Set(definition.secrets ?? []);
  const used = new Set<string>();
  const visit = (value: unknown, key: string, pointer: string, nodeId: string): void => {
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) visit(item, key, `${pointer}/${i}`, nodeId);
    } else if (isJsonObject(value)) {
      if (typeof value.$secret === 'string') {
        used.add(value.$secret);
        if (!declared.has(value.$secret)) {
          problems.error(
            'SECRET_UNDECLARED',
            nodeId,
            pointer,
            `The secret ${value.$secret} is not declared.`,
            `Add "${value.$secret}" to the list \`secrets\` of the workflow.`,
          );
        }
        return;
      }
      for (const [inner, item] of Object.entries(value)) visit(item, inner, `${pointer}/${inner}`, nodeId);
    } else if (
      typeof value === 'string' &&
      !value.includes('${') &&
      (LOOKS_SECRET.test(value) || (SECRET_FIELD.test(key) && value !== ''))
    ) {
      problems.warn(
        'SECRET_LITERAL',
        nodeId,
        pointer,
        'This looks like a secret written into the definition, where everybody can read it.',
        'Store it as a secret and write { "$secret": "NAME" }.',
      );
    }
  };
  for (const { node, pointer } of graphs.flatMap((graph) => graph.nodes)) {
    if (node.kind === 'mcp-server') visit(node.arguments, '', `${pointer}/arguments`, node.id);
    if (node.kind === 'activity') visit(node.input, '', `${pointer}/input`, node.id);
    if ('compensate' in node && node.compensate !== undefined) {
      const inputs =
        'server' in node.compensate
          ? { arguments: node.compensate.arguments }
          : { input: node.compensate.input };
      for (const [field, value] of Object.entries(inputs))
        visit(value, '', `${pointer}/compensate/${field}`, node.id);
    }
  }
  for (const [i, name] of (definition.secrets ?? []).entries()) {
    if (!used.has(name))
      problems.warn(
        'SECRET_UNUSED',
        null,
        `/secrets/${i}`,
        `The secret ${name} is declared but never used.`,
        'Remove it from the list.',
      );
  }
}
