import type { RunActivity } from '@/lib/engine/commands';
import type { Program } from '@/lib/engine/program';
import { compiledOf } from '@/lib/engine/state';
import type { Turn } from '@/lib/engine/turn';
import type { CallState, NodeState, RunState } from '@/lib/engine/types';
import type { Json } from '@/lib/shared/json';

/** Decides to make (or repeat) a call. */
export function scheduleCall(
  turn: Turn,
  node: NodeState,
  purpose: 'do' | 'compensate',
  attempt: number,
  input: Json,
): void {
  const compiled = compiledOf(turn.program, node);
  const settings = purpose === 'do' ? compiled.call : compiled.compensate;
  if (settings === undefined) throw new Error(`Node ${node.path} makes no call.`);
  turn.emit('ACTIVITY_TASK_SCHEDULED', {
    activityId: `${node.path}:${purpose}`,
    nodePath: node.path,
    purpose,
    attempt,
    target: settings.target,
    ...(attempt === 1 ? { input } : {}),
    timeoutMs: settings.timeoutMs,
  });
  const call = purpose === 'do' ? node.call : node.compensation;
  if (call !== undefined) turn.command(runActivity(turn.program, turn.state, node, purpose, call));
}

/** What the server asked is answered: the same attempt goes on. */
export function resumeCall(turn: Turn, node: NodeState): void {
  const purpose = node.compensation === undefined ? 'do' : 'compensate';
  const call = purpose === 'do' ? node.call : node.compensation;
  const compiled = compiledOf(turn.program, node);
  const settings = purpose === 'do' ? compiled.call : compiled.compensate;
  if (call?.resume === undefined || settings === undefined) return;
  const { durable } = call.resume.input;
  turn.emit('ACTIVITY_TASK_SCHEDULED', {
    activityId: `${node.path}:${purpose}`,
    nodePath: node.path,
    purpose,
    attempt: call.attempt,
    target: settings.target,
    timeoutMs: settings.timeoutMs,
    resumed: durable ? 'call' : 'answer',
  });
  const resumed = purpose === 'do' ? node.call : node.compensation;
  if (resumed !== undefined)
    turn.command(runActivity(turn.program, turn.state, node, purpose, resumed), !durable);
}

/** The command for a call as it stands: the same from a decision and from a replayed state. */
export function runActivity(
  program: Program,
  state: RunState,
  node: NodeState,
  purpose: 'do' | 'compensate',
  call: CallState,
): RunActivity {
  const compiled = compiledOf(program, node);
  const settings = purpose === 'do' ? compiled.call : compiled.compensate;
  if (settings === undefined) throw new Error(`Node ${node.path} makes no call.`);
  return {
    type: 'RUN_ACTIVITY',
    activityId: `${node.path}:${purpose}`,
    nodePath: node.path,
    nodeId: node.id,
    attempt: call.attempt,
    idempotencyKey: `${state.runId}:${node.path}:${purpose}`,
    target: settings.target,
    input: call.input,
    timeoutMs: settings.timeoutMs,
    ...(settings.idempotent === undefined ? {} : { idempotent: settings.idempotent }),
    // A task is followed, not made again: that is safe whatever the tool does.
    ...(call.started === undefined || call.remoteTask !== undefined ? {} : { started: call.started }),
    ...resumeOf(call),
  };
}

function resumeOf({ resume, remoteTask }: CallState): Pick<RunActivity, 'resume'> {
  if (resume !== undefined) return { resume };
  if (remoteTask === undefined) return {};
  return { resume: { input: { requests: [], durable: true, taskId: remoteTask }, answers: {} } };
}
