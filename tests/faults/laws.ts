import { canonicalJson } from '@/lib/shared/json';
import type { CounterLine } from '@/tests/faults/counter-log';
import type { Evidence, EvidenceEvent, EvidenceRun } from '@/tests/faults/evidence';
import type { Sleep } from '@/tests/faults/fault-log';
import { CHILD, CLEAN_UP, DOOMED, REFUSED, type Site } from '@/tests/faults/programs';
import type { Round, StartedProgram } from '@/tests/faults/round';

/** A law that was broken. */
export interface Violation {
  law: string;
  runId: string | null;
  text: string;
}

/** The clocks of the counting server and of Postgres are the same machine's; both round to milliseconds. */
const CLOCK_MS = 2;
/** How soon after it wakes a stopped process sends the call that it was about to send. */
const WAKING_MS = 250;
/** How far a process may be off when it reckons with Postgres' clock: much less than its own clock is set wrong by. */
const RECKONING_MS = 1_000;
/** How long an acknowledged cancel may lie before a process of a shaken fleet takes it up. */
const CANCEL_MS = 60_000;

/**
 * Checks a finished round against every law. Empty means that all of them hold.
 *
 * @param context.exact nothing struck in this round: then every call is made once, those that may be repeated too
 * @param context.sleeps processes that were stopped and went on. One that was stopped between the last look at its lease and
 *   the first byte of a call makes that call when it wakes: the one window that cannot be closed from our side
 *   (docs/failure-semantics.md). One such call a sleep is no violation; `context.late` is told of it.
 */
export function checkLaws(
  round: Round,
  evidence: Evidence,
  stuck: readonly string[],
  context: { exact?: boolean; sleeps?: readonly Sleep[]; late?: (text: string) => void } = {},
): Violation[] {
  const { exact = false, late = () => undefined } = context;
  const sleeps = new Set(context.sleeps ?? []);
  const excused = new Set<CounterLine>();
  /** Whether a call was made by a process in the moment in which it woke. */
  const woke = (line: CounterLine, what: string): boolean => {
    if (excused.has(line)) return true;
    const sleep = [...sleeps].find(
      ({ pid, to }) => line.caller === pid && line.at >= to - CLOCK_MS && line.at <= to + WAKING_MS,
    );
    if (sleep === undefined) return false;
    sleeps.delete(sleep);
    excused.add(line);
    late(`${what}, ${line.at - sleep.to} ms after its process woke from ${sleep.to - sleep.from} ms`);
    return true;
  };
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
    calls(run, evidence, woke, broken);
    stamps(run, broken);
    undoing(run, evidence, broken);
    decisions(run, broken);
  }
  for (const key of evidence.keys) inputs(key, evidence, woke, broken);
  acknowledged(round, evidence, broken);
  const known = new Set<string>();
  for (const started of round.started) outcome(started, evidence, known, exact, broken);
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

/** Whether a line is of a call that a process made in the moment in which it woke; `what` says what came of it. */
type Woke = (line: CounterLine, what: string) => boolean;
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
function calls(run: EvidenceRun, evidence: Evidence, woke: Woke, broken: Broken): void {
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
    if (late && !woke(late, `${key} was called after its completion`))
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
function inputs(key: string, evidence: Evidence, woke: Woke, broken: Broken): void {
  const lines = evidence.lines(key);
  const runId = key.slice(0, 36);
  const seen = new Set(lines.map((line) => canonicalJson(line.input as never)));
  if (seen.size > 1)
    broken(
      'one key, one input',
      runId,
      `${key} was seen with ${seen.size} inputs: ${[...seen].join(' | ').slice(0, 400)}`,
    );
  const begun = lines.filter((line) => line.tool === 'count_unsafe' && line.what === 'start');
  const effects = lines.filter((line) => line.tool === 'count_unsafe' && line.what === 'done').length;
  if (effects > 1 && !begun.some((line) => woke(line, `${key} took effect again`)))
    broken('an unsafe tool takes effect once', runId, `${key} took effect ${effects} times`);
}

/** Events carry the database's time, whatever the clock of their process says. */
function stamps(run: EvidenceRun, broken: Broken): void {
  for (const event of run.events) {
    if (event.at < run.created - RECKONING_MS || event.at > event.committed + RECKONING_MS) {
      const off = Math.round(event.at - event.committed);
      broken(
        "events carry Postgres' time",
        run.runId,
        `event ${event.seq} is stamped ${off} ms after its commit`,
      );
      return;
    }
  }
}

/** What completed and can be undone is undone when the run does not complete, the last completed first, and only then. */
function undoing(run: EvidenceRun, evidence: Evidence, broken: Broken): void {
  const undone = evidence.keys
    .filter((key) => key.startsWith(run.runId) && key.endsWith(':compensate'))
    .map((key) => {
      const node = key.slice(37, -':compensate'.length);
      const completed = completionOf(`${node}:do`, run);
      return { node, completed, at: evidence.lines(key)[0]?.at ?? 0 };
    });
  if (undone.length > 0 && run.status === 'completed')
    broken('only what failed is undone', run.runId, undone.map(({ node }) => node).join());
  undone.sort((one, other) => one.at - other.at);
  undone.forEach(({ node, completed }, i) => {
    if (completed === undefined) broken('only what completed is undone', run.runId, node);
    const before = undone[i - 1]?.completed;
    if (before && completed && before.seq < completed.seq)
      broken('the last completed is undone first', run.runId, `${undone[i - 1]?.node} before ${node}`);
  });
}

/** Of a run that was cancelled nothing that took effect and could be undone is left standing. */
function forgotten(sites: readonly Site[], run: EvidenceRun, evidence: Evidence, broken: Broken): void {
  if (run.status !== 'cancelled') return;
  for (const site of sites) {
    if (site.kind !== 'undo') continue;
    const took = (purpose: string) =>
      evidence.lines(`${run.runId}:${site.path}:${purpose}`).some(({ what }) => what === 'done');
    if (took('do') && !took('compensate'))
      broken(
        'what took effect is undone',
        run.runId,
        `${site.path} was not undone when the run was cancelled`,
      );
  }
}

/** Nobody's voice counts twice. */
function decisions(run: EvidenceRun, broken: Broken): void {
  const seen = new Set<string>();
  for (const { type, data } of run.events) {
    if (type !== 'APPROVAL_DECIDED') continue;
    const voice = `${data.approvalId} by ${data.by}`;
    if (seen.has(voice)) broken('a person decides once', run.runId, voice);
    seen.add(voice);
  }
}

/**
 * What a site of the program has to be preceded by, judged by what the program says and not by what the engine asked:
 * enough different people before a guarded call, an approval before what follows it, the end of a wait before what
 * follows it, the end of a call before the next call.
 */
function orderly(sites: readonly Site[], run: EvidenceRun, evidence: Evidence, broken: Broken): void {
  const before = new Map<string, Site>();
  for (const site of sites) {
    if (site.kind === 'undo') continue;
    const body = site.path.slice(0, site.path.lastIndexOf('/') + 1);
    const begun =
      site.kind === 'call'
        ? evidence.lines(`${run.runId}:${site.path}:do`).find(({ what }) => what === 'start')
        : undefined;
    const follows = before.get(body);
    if (begun !== undefined && site.guarded) agreed(site, run, begun.at, broken);
    if (begun !== undefined && follows !== undefined)
      over(follows, run, evidence, begun.at, site.path, broken);
    if (site.kind === 'wait') lasted(site, run, broken);
    before.set(body, site);
  }
  const refused = evidence.lines(`${run.runId}:${REFUSED}:do`);
  if (refused.length > 0) broken('no approval is bypassed', run.runId, 'a refused call was made');
}

/** The site was over at `at`, when what follows it (`next`) began. */
function over(
  site: Site,
  run: EvidenceRun,
  evidence: Evidence,
  at: number,
  next: string,
  broken: Broken,
): void {
  if (site.kind === 'approval') agreed(site, run, at, broken);
  const late = (end: number | undefined) => {
    if (end === undefined || end > at + CLOCK_MS)
      broken(
        'steps follow each other',
        run.runId,
        `${next} began before ${site.path} (${site.kind}) was over`,
      );
  };
  if (site.kind === 'call') late(completionOf(`${site.path}:do`, run)?.committed);
  if (site.kind === 'wait') late(waiting(site, run)?.fired?.committed);
  if (site.kind === 'child') {
    const child = [...evidence.runs.values()].find(
      (other) => other.parentRunId === run.runId && other.parentNodePath === site.path,
    );
    late(child?.events.at(-1)?.committed);
  }
}

/** The event with which a call was over and done: its answer, or the word of a person who looked. */
function completionOf(activityId: string, run: EvidenceRun): EvidenceEvent | undefined {
  return run.events.find(
    ({ type, data }) =>
      data.activityId === activityId &&
      (type === 'ACTIVITY_TASK_COMPLETED' ||
        (type === 'OUTCOME_RESOLVED' && data.resolution === 'completed')),
  );
}

/** As many different people as the program asks for said yes before `at`, and that closed the question. */
function agreed(site: Site, run: EvidenceRun, at: number, broken: Broken): void {
  const of = (type: string) =>
    run.events.filter((event) => event.type === type && event.data.approvalId === site.path);
  const [closed] = of('APPROVAL_CLOSED');
  const yes = of('APPROVAL_DECIDED').filter(
    (event) => event.data.decision === 'approve' && event.seq < (closed?.seq ?? 0),
  );
  const people = new Set(yes.map((event) => event.data.by)).size;
  if (closed?.data.outcome !== 'approved' || closed.committed > at + CLOCK_MS)
    broken('no approval is bypassed', run.runId, `what needs ${site.path} began before it was approved`);
  else if (people < (site.quorum ?? 1))
    broken('no approval is bypassed', run.runId, `${site.path}: ${people} of ${site.quorum} said yes`);
}

function waiting(site: Site, run: EvidenceRun) {
  const started = run.events.find(
    (event) =>
      event.type === 'TIMER_STARTED' && event.data.purpose === 'wait' && event.data.nodePath === site.path,
  );
  if (started === undefined) return null;
  const fired = run.events.find(
    (event) => event.type === 'TIMER_FIRED' && event.data.timerId === started.data.timerId,
  );
  return { started, fired };
}

/** A timer does not fire early. How late it may be is for the law that every run ends. */
function lasted(site: Site, run: EvidenceRun, broken: Broken): void {
  const timer = waiting(site, run);
  if (!timer?.fired) return;
  const ms = timer.fired.committed - timer.started.at;
  if (
    ms + RECKONING_MS / 5 < (site.ms ?? 0) ||
    timer.started.data.fireAt !== timer.started.at + (site.ms ?? 0)
  )
    broken('a wait lasts as long as it says', run.runId, `${site.path}: ${Math.round(ms)} of ${site.ms} ms`);
}

/** Every acknowledged start and signal exists, once; an acknowledged cancel is taken up before the run goes on for long. */
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
  for (const { runId, at } of round.cancels) {
    const events = evidence.runs.get(runId)?.events ?? [];
    const taken = events.some((event) => event.type === 'WORKFLOW_EXECUTION_CANCEL_REQUESTED');
    const last = events.at(-1)?.committed ?? 0;
    if (!taken && last > at + CANCEL_MS)
      broken('an acknowledged cancel is taken up', runId, `went on for ${Math.round(last - at)} ms`);
  }
}

/** The run ended as its program says, with exactly the calls, children and followers that belong to it. */
function outcome(
  started: StartedProgram,
  evidence: Evidence,
  known: Set<string>,
  exact: boolean,
  broken: Broken,
): void {
  const { program, runId } = started;
  const chain = [...evidence.runs.values()].filter((run) => run.workflowId === runId);
  for (const run of chain) claim(run, evidence, known);
  for (const link of chain) {
    orderly(program.sites, link, evidence, broken);
    uninvited(program.sites, link, evidence, broken);
    forgotten(program.sites, link, evidence, broken);
  }
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
    for (const site of program.sites) expect(site, link, program.ends === 'failed', exact, evidence, broken);
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
  // A run that was given up has no event that says why.
  const why = run.failure === null ? '' : ` ${run.failure.slice(0, 300)}`;
  return `${failed ? `${failed.type} ${JSON.stringify(failed.data).slice(0, 300)}` : ''}${why}`;
}

/** Only calls that the program has are made, with what belongs to them. */
function uninvited(sites: readonly Site[], run: EvidenceRun, evidence: Evidence, broken: Broken): void {
  const wanted = new Set([`${run.runId}:${DOOMED}:do`, `${run.runId}:p:do`]);
  for (const site of sites) {
    if (site.kind === 'call') wanted.add(`${run.runId}:${site.path}:do`);
    if (site.kind === 'undo') wanted.add(`${run.runId}:${site.path}:compensate`);
  }
  for (const key of evidence.keys) {
    if (!key.startsWith(run.runId)) continue;
    if (!wanted.has(key)) broken('no call that nobody asked for', run.runId, key);
    // An undoing call is given what the call that it undoes answered: results are kept as they were.
    const path = key.slice(37, key.lastIndexOf(':'));
    const value = `${run.runId}/${path.slice(path.lastIndexOf('/') + 1)}`;
    const given = evidence.lines(key)[0]?.input.value;
    if (given !== value) broken('a call is given what belongs to it', run.runId, `${key} was given ${given}`);
  }
}

function expect(
  site: Site,
  run: EvidenceRun,
  failed: boolean,
  exact: boolean,
  evidence: Evidence,
  broken: Broken,
): void {
  const once = (key: string, unsafe: boolean) => {
    const times = evidence.lines(key).filter((line) => line.what === 'done').length;
    if (times === 0 || ((unsafe || exact) && times !== 1))
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
function streams({ stream, streamBefore, runs }: Evidence, broken: Broken): void {
  let next = streamBefore === null ? (stream[0]?.seq ?? 0) : streamBefore + 1;
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
