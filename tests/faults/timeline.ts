import type { Evidence } from '@/tests/faults/evidence';
import type { FaultLog } from '@/tests/faults/fault-log';
import type { Violation } from '@/tests/faults/laws';
import type { Round } from '@/tests/faults/round';

const clock = (ms: number) => new Date(ms).toISOString().slice(11, 23);
const short = (value: unknown) => JSON.stringify(value).slice(0, 260);

/** What happened to the run of a violation, in order of time: events, calls and faults, and how to repeat it. */
export function timeline(
  violation: Violation,
  seed: number,
  round: Round,
  evidence: Evidence,
  faults: FaultLog,
): string {
  const { law, runId, text } = violation;
  const head = [`✗ ${law}: ${text}`, `  seed ${seed}, run ${runId ?? '-'}`];
  const run = runId === null ? undefined : evidence.runs.get(runId);
  if (runId === null || run === undefined) return head.join('\n');
  const started = round.started.find((item) => item.runId === runId || item.runId === run.workflowId);
  if (started)
    head.push(
      `  program ${started.program.name} (must end: ${started.program.ends}): ${JSON.stringify(started.program.definition)}`,
    );
  const lines: { at: number; text: string }[] = [];
  for (const event of run.events) {
    lines.push({
      at: event.committed,
      text: `event ${event.seq} ${event.type} ${short(event.data)} (made ${clock(event.at)})`,
    });
  }
  for (const key of evidence.keys) {
    if (!key.startsWith(runId)) continue;
    for (const line of evidence.lines(key))
      lines.push({
        at: line.at,
        text: `call ${line.what} ${line.tool} ${key.slice(37)} by server ${line.pid}`,
      });
  }
  const from = (run.events[0]?.at ?? 0) - 3_000;
  const to = Math.max(...lines.map((line) => line.at), from) + 3_000;
  for (const fault of faults.struck) {
    if (fault.at < from || fault.at > to) continue;
    lines.push({ at: fault.at, text: `FAULT ${fault.fault} ${fault.detail}` });
    if (fault.healedAt > fault.at + 50) lines.push({ at: fault.healedAt, text: `healed: ${fault.fault}` });
  }
  lines.sort((a, b) => a.at - b.at);
  return [...head, ...lines.map((line) => `  ${clock(line.at)} ${line.text}`)].join('\n');
}
