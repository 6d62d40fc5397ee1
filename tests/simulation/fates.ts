import { findCall } from '@/lib/engine/state';
import type { EventData } from '@/lib/engine/types';
import type { SimulatedHost } from '@/tests/simulation/host';
import type { Random } from '@/tests/simulation/random';

const PEOPLE = ['ann', 'bob', 'cid', 'dan', 'eve'];
const ROLES = ['operator', 'admin'];
const SIGNALS = ['go', 'stop', 'sig-0', 'sig-3', 'sig-7', 'nobody-waits'];

/** What kind of world a run lives in. */
export interface Mood {
  /** How often a call succeeds. */
  luck: number;
  /** Nobody pauses, cancels or terminates. */
  calm: boolean;
}

/** One random thing that happens to a run: results, errors, timeouts, questions, people, signals, pauses, cancels, crashes, echoes. */
export function randomFate(host: SimulatedHost, random: Random, mood: Mood): void {
  host.now += random.below(3000);
  const roll = random.next();
  if (roll < 0.45) answerCall(host, random, mood);
  else if (roll < 0.5) answerQuestion(host, random, mood);
  else if (roll < 0.62) fireTimer(host, random);
  else if (roll < 0.72) decide(host, random);
  else if (roll < 0.78) signal(host, random);
  else if (roll < 0.84) child(host, random);
  else if (roll < 0.89) resolve(host, random);
  else if (roll < 0.92) {
    if (!mood.calm) pauseOrResume(host, random);
  } else if (roll < 0.96) host.crash();
  else if (roll < 0.985 || mood.calm) echo(host, random);
  else if (roll < 0.995)
    host.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', { reason: 'somebody asked', by: 'ann' });
  else if (random.chance(0.5)) host.send('WORKFLOW_EXECUTION_TERMINATED', { reason: 'enough', by: 'ann' });
}

/** What a helpful world does with one open thing; false when nothing is open. */
export function goodFate(host: SimulatedHost, random: Random): boolean {
  host.now += 10;
  if (host.state.paused) return host.send('WORKFLOW_EXECUTION_UNPAUSED', { by: 'ann' });
  for (const activityId of openQuestions(host)) {
    if (host.send('ACTIVITY_TASK_INPUT_PROVIDED', { activityId, answers: YES, by: 'ann' })) return true;
  }
  for (const activityId of host.memory.calls.keys()) {
    const call = host.memory.calls.get(activityId);
    host.answered(activityId);
    if (call !== undefined)
      host.send('ACTIVITY_TASK_COMPLETED', { activityId, attempt: call.attempt, output: { ok: true } });
    return true;
  }
  for (const approvalId of host.memory.approvals.keys()) {
    const by = PEOPLE.find(
      (person) =>
        !host.state.nodes.get(approvalId)?.approval?.decisions.some((item) => item.by === person) &&
        may(host, approvalId, person),
    );
    if (by === undefined) break;
    host.send('APPROVAL_DECIDED', {
      approvalId,
      decision: 'approve',
      by,
      form: { why: 'it is fine', reason: 'it is old' },
      roles: ROLES,
    });
    return true;
  }
  for (const [nodePath, { started }] of host.memory.children) {
    if (!started)
      host.send('CHILD_WORKFLOW_EXECUTION_STARTED', { nodePath, childRunId: `child-of-${nodePath}` });
    host.memory.children.delete(nodePath);
    host.send('CHILD_WORKFLOW_EXECUTION_COMPLETED', { nodePath, output: { child: true } });
    return true;
  }
  for (const node of host.state.nodes.values()) {
    if (node.status !== 'unknown_outcome') continue;
    const purpose = node.compensation === undefined ? 'do' : 'compensate';
    host.send('OUTCOME_RESOLVED', {
      activityId: `${node.path}:${purpose}`,
      resolution: random.pick(['completed', 'failed'] as const),
      by: 'ann',
    });
    return true;
  }
  const next = [...host.memory.timers].sort((a, b) => a[1] - b[1])[0];
  if (next !== undefined && host.state.signalWaiters.size === 0) return fire(host, next[0], next[1]);
  for (const name of host.state.signalWaiters.keys())
    return host.send('WORKFLOW_EXECUTION_SIGNALED', { name, payload: { by: 'good' } });
  return next !== undefined && fire(host, next[0], next[1]);
}

function may(host: SimulatedHost, approvalId: string, person: string): boolean {
  const approval = host.state.nodes.get(approvalId)?.approval;
  if (approval?.approvers === undefined) return true;
  return [approval.approvers, approval.moreApprovers].some(
    (group) => group?.users?.includes(person) || group?.roles?.some((role) => ROLES.includes(role)),
  );
}

function fire(host: SimulatedHost, timerId: string, fireAt: number): boolean {
  host.now = Math.max(host.now, fireAt);
  host.memory.timers.delete(timerId);
  return host.send('TIMER_FIRED', { timerId });
}

const QUESTION = { key: 'k', kind: 'form' as const, message: 'Sure?', schema: { type: 'object' } };
const YES = { k: { action: 'accept' as const, content: { sure: true } } };

function openQuestions(host: SimulatedHost): string[] {
  return [...host.state.nodes.values()].flatMap((node) =>
    (['do', 'compensate'] as const)
      .filter((purpose) => (purpose === 'do' ? node.call : node.compensation)?.question !== undefined)
      .map((purpose) => `${node.path}:${purpose}`),
  );
}

/** The server of a call asks something: inside the open call, or by ending it for now. */
function ask(host: SimulatedHost, random: Random, activityId: string, attempt: number): void {
  const durable = random.chance(0.5);
  const input = { requests: [QUESTION], durable, ...(durable ? { requestState: 'opaque' } : {}) };
  if (host.send('ACTIVITY_TASK_INPUT_REQUIRED', { activityId, attempt, input }) && durable)
    host.answered(activityId);
}

function answerQuestion(host: SimulatedHost, random: Random, mood: Mood): void {
  const asked = openQuestions(host);
  if (asked.length === 0) return;
  // What is answered while the run is paused is taken up later, or never: then other things may come first.
  if (!mood.calm && random.chance(0.5)) host.send('WORKFLOW_EXECUTION_PAUSED', { by: 'ann' });
  host.send('ACTIVITY_TASK_INPUT_PROVIDED', { activityId: random.pick(asked), answers: YES, by: 'bob' });
}

function answerCall(host: SimulatedHost, random: Random, mood: Mood): void {
  const ids = [...host.memory.calls.keys()];
  if (ids.length === 0) return;
  const activityId = random.pick(ids);
  const call = host.memory.calls.get(activityId);
  if (call === undefined) return;
  const { attempt } = call;
  const known = findCall(host.state, activityId)?.call;
  if (known?.status === 'scheduled' && random.chance(0.35)) {
    host.send('ACTIVITY_TASK_STARTED', { activityId, attempt, retrySafe: random.chance(0.5), worker: 'w1' });
    return;
  }
  if (host.memory.cancelling.has(activityId) && random.chance(0.5)) {
    host.answered(activityId);
    // That this attempt had no effect says nothing of those before it.
    const fate = known?.doubtful === true ? 'ACTIVITY_TASK_OUTCOME_UNKNOWN' : 'ACTIVITY_TASK_CANCELED';
    host.send(fate, { activityId, attempt });
    return;
  }
  // The host does not pass on what a call asks that is to stop.
  const mayAsk = known?.status !== 'input_required' && !host.memory.cancelling.has(activityId);
  if (mayAsk && random.chance(0.25)) {
    ask(host, random, activityId, attempt);
    return;
  }
  host.answered(activityId);
  const usage = { durationMs: random.below(100), bytesIn: 10, bytesOut: 20 };
  const jitter = random.next();
  if (random.chance(mood.luck)) {
    host.send('ACTIVITY_TASK_COMPLETED', { activityId, attempt, output: { n: random.below(10) }, usage });
    return;
  }
  const roll = random.next();
  if (roll < 0.75)
    host.send('ACTIVITY_TASK_FAILED', randomFailure(random, activityId, attempt, host.now, jitter));
  else if (roll < 0.9)
    host.send('ACTIVITY_TASK_TIMED_OUT', {
      activityId,
      attempt,
      jitter,
      ...(random.chance(0.5) ? { retrySafe: random.chance(0.5) } : {}),
    });
  else host.send('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId, attempt });
}

function randomFailure(
  random: Random,
  activityId: string,
  attempt: number,
  now: number,
  jitter: number,
): EventData<'ACTIVITY_TASK_FAILED'> {
  const code = random.pick([
    'NETWORK_ERROR',
    'NETWORK_ERROR',
    'TOOL_ERROR',
    'ACTIVITY_FAILED',
    'CIRCUIT_OPEN',
  ]);
  return {
    activityId,
    attempt,
    jitter,
    failure: { code, message: `${code} by fate` },
    ...(code === 'CIRCUIT_OPEN' ? { retryAt: now + 30_000 } : {}),
    ...(code === 'NETWORK_ERROR' && random.chance(0.5)
      ? { ambiguous: true, retrySafe: random.chance(0.5) }
      : {}),
  };
}

function fireTimer(host: SimulatedHost, random: Random): void {
  const due = [...host.memory.timers];
  if (due.length === 0) return;
  const [timerId, fireAt] = random.pick(due);
  fire(host, timerId, fireAt);
}

function decide(host: SimulatedHost, random: Random): void {
  const open = [...host.memory.approvals.keys()];
  if (open.length === 0) return;
  host.send('APPROVAL_DECIDED', {
    approvalId: random.pick(open),
    decision: random.chance(0.75) ? 'approve' : 'reject',
    by: random.pick(PEOPLE),
    ...(random.chance(0.7) ? { form: { why: 'because' } } : {}),
  });
}

function signal(host: SimulatedHost, random: Random): void {
  host.send('WORKFLOW_EXECUTION_SIGNALED', {
    name: random.pick(SIGNALS),
    payload: random.below(100),
    signalId: `s${random.below(30)}`,
  });
}

function child(host: SimulatedHost, random: Random): void {
  const open = [...host.memory.children.keys()];
  if (open.length === 0) return;
  const nodePath = random.pick(open);
  const known = host.memory.children.get(nodePath);
  if (known === undefined) return;
  if (!known.started) {
    if (random.chance(0.15)) {
      host.memory.children.delete(nodePath);
      host.send('START_CHILD_WORKFLOW_EXECUTION_FAILED', {
        nodePath,
        failure: { code: 'WORKFLOW_NOT_FOUND', message: 'no such workflow' },
      });
      return;
    }
    known.started = true;
    host.send('CHILD_WORKFLOW_EXECUTION_STARTED', { nodePath, childRunId: `child-of-${nodePath}` });
    return;
  }
  host.memory.children.delete(nodePath);
  const roll = random.next();
  if (roll < 0.6) host.send('CHILD_WORKFLOW_EXECUTION_COMPLETED', { nodePath, output: 7 });
  else if (roll < 0.8)
    host.send('CHILD_WORKFLOW_EXECUTION_FAILED', {
      nodePath,
      failure: { code: 'ACTIVITY_FAILED', message: 'inside' },
    });
  else if (roll < 0.9) host.send('CHILD_WORKFLOW_EXECUTION_CANCELED', { nodePath });
  else host.send('CHILD_WORKFLOW_EXECUTION_TERMINATED', { nodePath });
}

function resolve(host: SimulatedHost, random: Random): void {
  const parked = [...host.state.nodes.values()].filter((node) => node.status === 'unknown_outcome');
  if (parked.length === 0) return;
  const node = random.pick(parked);
  const purpose = node.compensation === undefined ? 'do' : 'compensate';
  host.send('OUTCOME_RESOLVED', {
    activityId: `${node.path}:${purpose}`,
    resolution: random.pick(['retry', 'completed', 'failed'] as const),
    output: { manual: true },
    by: 'bob',
  });
}

function pauseOrResume(host: SimulatedHost, random: Random): void {
  if (random.chance(0.5)) host.send('WORKFLOW_EXECUTION_PAUSED', { by: 'ann' });
  else host.send('WORKFLOW_EXECUTION_UNPAUSED', { by: 'ann' });
}

/** An old event comes again: a duplicate result, timer, decision or signal must never count twice. */
function echo(host: SimulatedHost, random: Random): void {
  const past = host.history.filter((event) =>
    [
      'ACTIVITY_TASK_COMPLETED',
      'ACTIVITY_TASK_FAILED',
      'TIMER_FIRED',
      'APPROVAL_DECIDED',
      'OUTCOME_RESOLVED',
      'CHILD_WORKFLOW_EXECUTION_COMPLETED',
    ].includes(event.type),
  );
  if (past.length === 0) return;
  const event = random.pick(past);
  // The same attempt goes out again only after an open breaker; then a second answer to it is a new one.
  if (
    'activityId' in event.data &&
    event.data.activityId !== undefined &&
    attemptOut(host, event.data.activityId) === (event.data as { attempt?: number }).attempt
  )
    return;
  if (
    event.type === 'OUTCOME_RESOLVED' &&
    findCall(host.state, event.data.activityId)?.call.status === 'unknown_outcome'
  )
    return;
  if (host.send(event.type as 'TIMER_FIRED', event.data as EventData<'TIMER_FIRED'>))
    throw new Error(`An echo of ${event.type} counted a second time.`);
}

/** The attempt that is under way, or whose question is with a person. */
function attemptOut(host: SimulatedHost, activityId: string): number | undefined {
  const call = findCall(host.state, activityId)?.call;
  return call?.status === 'input_required' ? call.attempt : host.memory.calls.get(activityId)?.attempt;
}
