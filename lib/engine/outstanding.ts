import type { Command } from '@/lib/engine/commands';
import { requestCommand } from '@/lib/engine/decide-approval';
import { runActivity } from '@/lib/engine/decide-call';
import type { Program } from '@/lib/engine/program';
import type { CallState, NodeState, RunState } from '@/lib/engine/types';

/**
 * Everything a new owner of the run must (re)do after a replay: calls without a result (with `started` when the attempt
 * had begun), cancellations that were not answered, open timers, children not known to run, open approvals.
 * Empty for a closed run.
 */
export function outstanding(program: Program, state: RunState): Command[] {
  const commands: Command[] = [];
  if (state.closedAt !== undefined) return commands;
  for (const timer of state.timers.values())
    commands.push({ type: 'START_TIMER', timerId: timer.timerId, fireAt: timer.fireAt });
  for (const node of state.nodes.values()) {
    call(program, state, node, 'do', node.call, commands);
    call(program, state, node, 'compensate', node.compensation, commands);
    if (node.approval?.open) commands.push(requestCommand(node, node.approval));
    if (node.child?.open && node.child.childRunId === undefined) {
      const { childWorkflowId, workflow, version, input, parentClosePolicy } = node.child;
      commands.push({
        type: 'START_CHILD',
        nodePath: node.path,
        childWorkflowId,
        workflow,
        ...(version === undefined ? {} : { version }),
        input,
        parentClosePolicy,
      });
    }
  }
  return commands;
}

function call(
  program: Program,
  state: RunState,
  node: NodeState,
  purpose: 'do' | 'compensate',
  found: CallState | undefined,
  commands: Command[],
): void {
  if (found === undefined || found.pending !== undefined) return;
  // A question stays with its person. Only when the call was to be stopped somebody has to say what became of it.
  const asks = found.status === 'input_required' && found.cancelRequested === true;
  if (found.status !== 'scheduled' && found.status !== 'started' && !asks) return;
  commands.push(runActivity(program, state, node, purpose, found));
  if (found.cancelRequested)
    commands.push({ type: 'CANCEL_ACTIVITY', activityId: `${node.path}:${purpose}` });
}
