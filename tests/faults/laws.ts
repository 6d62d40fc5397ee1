import { canonicalJson } from '@/lib/shared/json';
import type { Evidence, EvidenceEvent, EvidenceRun } from '@/tests/faults/evidence';
import { CHILD, CLEAN_UP, type Site } from '@/tests/faults/programs';
import type { Round, StartedProgram } from '@/tests/faults/round';

/** A law that was broken. */
export interface Violation {
  law: string;
  runId: string | null;
  text: string;
}

/** The clocks of the counting server and of Postgres are the same machine's; both round to milliseconds. */
const CLOCK_MS = 2;

/** Checks a finished round against every law. Empty means that all of them hold. */
export function checkLaws(round: Round, evidence: Evidence, stuck: readonly string[]): Violation[] {
  const found: Violation[] = [];
  const broken = (law: string, runId: string | null, text: string) => found.push({ law, runId, text });
  for (const text of round.complaints) broken('what clients are told stays true', idIn(text), text);
  for (const runId of stuck)
    broken(
      'every run ends when faults stop',
      runId,
      `still open; last event ${evidence.runs.get(runId)?.events.at(-1)?.type}`,
    );
  for (const run of evidence.runs.values()) {
    history(run, broken);
    calls(run, evidence, broken);
    approvals(run, evidence, broken);
  }
  for (const key of evidence.keys) inputs(key, evidence, broken);
  acknowledged(round, evidence, broken);
  const known = new Set<string>();
  for (const started of round.started) outcome(started, evidence, known, broken);
  for (const run of evidence.runs.values()) {
    if (!known.has(run.runId))
      broken('no run that nobody asked for', run.runId, `${run.workflow} (${run.workflowId})`);
  }
  reported(round, evidence, broken);
  streams(evidence, broken);
  if (evidence.inboxLeft > 0) broken('the inbox is emptied', null, `${evidence.inboxLeft} rows left`);
  if (evidence.outboxLeft > 0) broken('the outbox is emptied', null, `${evidence.outboxLeft} rows left`);
  return found;
}

type Broken = (law: string, runId: string | null, text: string) => void;

function idIn(text: string): string | null {
  return /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(text)?.[0] ?? null;
}

/** Numbers without gaps, the start first, nothing after the end. */
function history(run: EvidenceRun, broken: Broken): void {
  run.events.forEach((event, i) => {
    if (event.seq !== i + 1) broken('no gaps in a history', run.runId, `event ${i + 1} has seq ${event.seq}`);
  });
  if (run.events.length > 0 && run.events[0]?.type !== 'WORKFLOW_EXECUTION_STARTED') {
    broken('a history begins with the start', run.runId, String(run.events[0]?.type));
  }
  const starts = run.events.filter((event) => event.type === 'WORKFLOW_EXECUTION_STARTED').length;
  if (starts > 1) broken('a run starts once', run.runId, `${starts} starts`);
  const end = run.events.findIndex((event) =>
    /^WORKFLOW_EXECUTION_(COMPLETED|FAILED|CANCELED|TIMED_OUT|TERMINATED|CONTINUED_AS_NEW)$/.test(event.type),
  );
  if (end >= 0 && end !== run.events.length - 1)
    broken(
      'nothing follows the end of a run',
      run.runId,
      `${run.events[end]?.type} is number ${end + 1} of ${run.events.length}`,
    );
  if (run.closed && run.historyLength !== run.events.length) {
    broken(
      'a closed run knows its length',
      run.runId,
      `${run.historyLength} in the row, ${run.events.length} events`,
    );
  }
}

/** A completed step is never called again; an unsafe one takes effect once; one result for one call. */
function calls(run: EvidenceRun, evidence: Evidence, broken: Broken): void {
  const completed = new Map<string, EvidenceEvent>();
  for (const event of run.events) {
    if (event.type !== 'ACTIVITY_TASK_COMPLETED') continue;
    const id = String(event.data.activityId);
    if (completed.has(id)) broken('a step completes once', run.runId, `${id} completed twice`);
    completed.set(id, event);
  }
  for (const [id, event] of completed) {
    const key = `${run.runId}:${id}`;
    const lines = evidence.lines(key);
    const late = lines.find((line) => line.what === 'start' && line.at > event.committed + CLOCK_MS);
    if (late)
      broken(
        'a completed step is not called again',
        run.runId,
        `${id} called ${Math.round(late.at - event.committed)} ms after its completion was committed`,
      );
    if (!lines.some((line) => line.what === 'done'))
      broken('a completion has an effect', run.runId, `${id} completed but never took effect`);
  }
}

/** One key, one input; one effect for tools that must not be repeated. */
function inputs(key: string, evidence: Evidence, broken: Broken): void {
  const lines = evidence.lines(key);
  const runId = key.slice(0, 36);
  const seen = new Set(lines.map((line) => canonicalJson(line.input as never)));
  if (seen.size > 1)
    broken(
      'one key, one input',
      runId,
      `${key} was seen with ${seen.size} inputs: ${[...seen].join(' | ').slice(0, 400)}`,
    );
  const effects = lines.filter((line) => line.tool === 'count_unsafe' && line.what === 'done').length;
  if (effects > 1) broken('an unsafe tool takes effect once', runId, `${key} took effect ${effects} times`);
}

/** Enough different people agreed before the guarded call was made. */
function approvals(run: EvidenceRun, evidence: Evidence, broken: Broken): void {
  for (const asked of run.events.filter((event) => event.type === 'APPROVAL_REQUESTED')) {
    const id = String(asked.data.approvalId);
    const quorum = Number(asked.data.quorum);
    const decided = run.events.filter(
      (event) => event.type === 'APPROVAL_DECIDED' && event.data.approvalId === id,
    );
    const people = new Set(decided.map((event) => event.data.by));
    if (people.size < decided.length)
      broken(
        'a person decides once',
        run.runId,
        `${id}: ${decided.length} decisions of ${people.size} people`,
      );
    const closed = run.events.find(
      (event) => event.type === 'APPROVAL_CLOSED' && event.data.approvalId === id,
    );
    const yes = decided.filter(
      (event) => event.data.decision === 'approve' && event.seq < (closed?.seq ?? 0),
    ).length;
    if (closed?.data.outcome === 'approved' && yes < quorum)
      broken('no approval is bypassed', run.runId, `${id}: ${yes} of ${quorum} said yes`);
    const agreed = closed?.data.outcome === 'approved' ? closed : null;
    const first = evidence.lines(`${run.runId}:${id}:do`).find((line) => line.what === 'start');
    if (first && (agreed === null || first.at + CLOCK_MS < agreed.committed)) {
      broken('no approval is bypassed', run.runId, `${id} was called before it was approved`);
    }
  }
}

/** Every acknowledged start and signal exists, once. */
function acknowledged(round: Round, evidence: Evidence, broken: Broken): void {
  for (const { runId, program } of round.started) {
    const first = evidence.runs.get(runId)?.events[0];
    if (evidence.runs.get(runId) === undefined) broken('an acknowledged start exists', runId, program.name);
    else if (first && canonicalJson(first.data.input ?? null) !== canonicalJson(program.input)) {
      broken(
        'an acknowledged start exists as it was',
        runId,
        `input ${JSON.stringify(first.data.input).slice(0, 200)}`,
      );
    }
  }
  for (const { runId, signalId, started } of round.signals) {
    if (started.program.ends === 'any') continue;
    const times = evidence.runs
      .get(runId)
      ?.events.filter(
        (event) => event.type === 'WORKFLOW_EXECUTION_SIGNALED' && event.data.signalId === signalId,
      ).length;
    if (times !== 1) broken('an acknowledged signal exists once', runId, `${signalId}: ${times} times`);
  }
}

/** The run ended as its program says, with exactly the calls, children and followers that belong to it. */
function outcome(started: StartedProgram, evidence: Evidence, known: Set<string>, broken: Broken): void {
  const { program, runId } = started;
  const chain = [...evidence.runs.values()].filter((run) => run.workflowId === runId);
  for (const run of chain) claim(run, evidence, known);
  if (chain.some((run) => !run.closed)) return;
  const run = evidence.runs.get(runId);
  if (run === undefined || program.ends === 'any') return;
  const statuses = chain.map((link) => link.status).sort();
  const expected = [
    ...Array.from({ length: program.continues }, () => 'continued_as_new'),
    program.ends,
  ].sort();
  if (statuses.join() !== expected.join()) {
    broken(
      'a run ends as its program says',
      runId,
      `${statuses.join()} in place of ${expected.join()}; ${lastFailure(run)}`,
    );
    return;
  }
  if (program.ends === 'dead_letter') return;
  for (const link of chain) {
    const wanted = new Set<string>();
    for (const site of program.sites) expect(site, link, program.ends === 'failed', evidence, wanted, broken);
    for (const key of evidence.keys) {
      if (!key.startsWith(link.runId) || wanted.has(key) || key === `${link.runId}:doomed:do`) continue;
      broken('no call that nobody asked for', runId, key);
    }
  }
  const after = [...evidence.runs.values()].filter(
    (other) => other.workflow === CLEAN_UP && other.workflowId.startsWith(`${runId}/`),
  );
  if (after.length !== (program.cleansUp ? 1 : 0))
    broken('a failure workflow runs once', runId, `${after.length} times`);
}

/** Marks a run and everything that it started as accounted for. */
function claim(run: EvidenceRun, evidence: Evidence, known: Set<string>): void {
  known.add(run.runId);
  for (const other of evidence.runs.values()) {
    if (known.has(other.runId)) continue;
    if (other.parentRunId === run.runId || other.workflowId.startsWith(`${run.runId}/failure/`))
      claim(other, evidence, known);
  }
}

function lastFailure(run: EvidenceRun): string {
  const failed = run.events.filter((event) => /FAILED$/.test(event.type)).at(-1);
  return failed ? `${failed.type} ${JSON.stringify(failed.data).slice(0, 300)}` : '';
}

function expect(
  site: Site,
  run: EvidenceRun,
  failed: boolean,
  evidence: Evidence,
  wanted: Set<string>,
  broken: Broken,
): void {
  const effects = (key: string) => {
    wanted.add(key);
    return evidence.lines(key).filter((line) => line.what === 'done').length;
  };
  const once = (key: string, unsafe: boolean) => {
    const times = effects(key);
    if (times === 0 || (unsafe && times !== 1))
      broken('every step takes effect', run.runId, `${key} took effect ${times} times`);
  };
  if (site.kind === 'call') once(`${run.runId}:${site.path}:do`, site.unsafe === true);
  if (site.kind === 'undo' && failed) once(`${run.runId}:${site.path}:compensate`, false);
  if (site.kind === 'child') {
    const children = [...evidence.runs.values()].filter(
      (other) => other.parentRunId === run.runId && other.parentNodePath === site.path,
    );
    if (children.length !== 1 || children[0]?.status !== 'completed') {
      broken(
        'a child runs once and to its end',
        run.runId,
        `${site.path}: ${children.map((child) => child.status).join() || 'none'}`,
      );
      return;
    }
    once(`${children[0].runId}:c1:do`, false);
    once(`${children[0].runId}:c2:do`, site.workflow === CHILD);
  }
}

/** What readers were told about closed runs is what the database says now. */
function reported(round: Round, evidence: Evidence, broken: Broken): void {
  for (const [runId, report] of round.reports) {
    const run = evidence.runs.get(runId);
    if (run && (run.status !== report.status || run.events.length !== report.historyLength)) {
      broken(
        'a reported result never changes',
        runId,
        `reported ${report.status} with ${report.historyLength} events, now ${run.status} with ${run.events.length}`,
      );
    }
  }
}

/** Numbers without gaps, and every event under exactly one of them. */
function streams({ stream, runs }: Evidence, broken: Broken): void {
  let next = stream[0]?.seq ?? 0;
  const seen = new Map<string, Set<number>>();
  for (const { seq, count, refs } of stream) {
    if (seq !== next) broken('no gaps in a stream', null, `number ${next} is missing; ${seq} comes next`);
    next = seq + count;
    let size = 0;
    for (const [runId, low, high] of refs) {
      size += high - low + 1;
      const numbers = seen.get(runId) ?? new Set();
      seen.set(runId, numbers);
      for (let n = low; n <= high; n++) {
        if (numbers.has(n)) broken('an event has one number', runId, `event ${n} was numbered twice`);
        numbers.add(n);
      }
    }
    if (size !== count) broken('a stream entry counts its events', null, `${seq}: ${count} against ${size}`);
  }
  for (const run of runs.values()) {
    const numbered = seen.get(run.runId)?.size ?? 0;
    if (numbered !== run.events.length)
      broken('every event is told', run.runId, `${numbered} of ${run.events.length} events have a number`);
  }
}
