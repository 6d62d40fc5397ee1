import { setTimeout as sleep } from 'node:timers/promises';
import { quoteWord } from '@/lib/commands/tokens';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { RunDetail, RunStatus } from '@/lib/protocol/run';
import { isOpenRun } from '@/lib/theme/status';
import { type ApiClient, Interrupted } from '@/server/cli/api-client';
import { CliError, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';

/** How long the server holds a question for new events, in milliseconds. */
const WAIT_MS = 20_000;
/** Events asked for at once: the most that the server gives. */
const PAGE = 1000;
/** A restart of the instance is waited for this long. */
const RECONNECT_MS = 60_000;
const PAUSE_MS = { first: 250, longest: 2000 };
/** Between two empty answers, so that a server that does not hold the question is not flooded. */
const IDLE_MS = 250;

/** How following ended: the run closed, Ctrl-C, or the time of `--timeout` was over. */
export type Followed = { end: 'closed'; run: RunDetail } | { end: 'detached' } | { end: 'timeout' };

export interface FollowOptions {
  /** Only events behind this sequence number. */
  after?: number;
  timeoutMs?: number | undefined;
  onEvents?: (events: readonly WorkflowEventRecord[]) => void;
  /** Called with the run after each batch of events. */
  onRun?: (run: RunDetail) => void;
}

/**
 * Follows a run until it has closed and every event has been told. New events come by long poll; the run itself
 * is read after each batch, because it alone says what state each step is in. When the instance goes away
 * (a restart, a crash) it is waited for: the run is durable, so nothing is lost.
 */
export async function followRun(
  context: CliContext,
  runId: string,
  options: FollowOptions,
): Promise<Followed> {
  const timeout = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
  const api = timeout === undefined ? context.api : context.api.until(timeout);
  const signal = timeout === undefined ? context.interrupt : AbortSignal.any([context.interrupt, timeout]);
  let after = options.after ?? 0;
  let run: RunDetail | undefined;
  try {
    for (;;) {
      const closed = run !== undefined && !isOpenRun(run.status);
      if (run !== undefined && closed && after >= run.historyLength) return { end: 'closed', run };
      const events = await patiently(context, signal, () =>
        api.events(runId, after, PAGE, closed ? 0 : WAIT_MS),
      );
      if (run !== undefined && closed && events.items.length === 0) return { end: 'closed', run };
      after = events.items.at(-1)?.seq ?? after;
      options.onEvents?.(events.items);
      run = await readAtLeisure(context, signal, api, runId, events.items.length >= PAGE ? run : undefined);
      options.onRun?.(run);
      if (events.items.length === 0 && isOpenRun(run.status)) await pause(IDLE_MS, signal);
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return { end: timeout?.aborted && !context.interrupt.aborted ? 'timeout' : 'detached' };
  }
}

/**
 * The run, read so that reading takes at most half of the time: a run of thousands of steps is a large answer.
 * While events are still being caught up on (`known`), the last reading is good enough.
 */
async function readAtLeisure(
  context: CliContext,
  signal: AbortSignal,
  api: ApiClient,
  runId: string,
  known: RunDetail | undefined,
): Promise<RunDetail> {
  if (known !== undefined) return known;
  const began = performance.now();
  const run = await patiently(context, signal, () => api.run(runId));
  if (isOpenRun(run.status)) await pause(performance.now() - began, signal);
  return run;
}

/** Does a reading again while the instance is away. */
async function patiently<T>(context: CliContext, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
  let wait = PAUSE_MS.first;
  let since: number | undefined;
  for (;;) {
    try {
      const answer = await read();
      if (since !== undefined) context.output.note('ok', '✓', 'Connected again');
      return answer;
    } catch (error) {
      if (!(error instanceof CliError) || error.exit !== EXIT.unreachable || error.details.retriable !== true)
        throw error;
      if (since === undefined) {
        since = performance.now();
        context.output.note('warn', '⚠', 'Connection lost', 'the run is kept; trying to connect again');
      }
      if (performance.now() - since > RECONNECT_MS) throw error;
      await pause(wait, signal);
      wait = Math.min(wait * 2, PAUSE_MS.longest);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw new Interrupted();
  }
}

/** Exit code of a command that followed a run to this state. */
export function exitOf(status: RunStatus): number {
  return status === 'completed' || status === 'continued_as_new' || isOpenRun(status) ? EXIT.ok : EXIT.failed;
}

/** Says that following ended before the run did, and how to take it up again; returns the exit code. */
export function leave(context: CliContext, runId: string, end: 'detached' | 'timeout'): number {
  const again = `openconductor run watch ${quoteWord(runId)}`;
  const why = end === 'timeout' ? 'The time is over' : 'Detached';
  context.output.note('warn', '⚠', `${why}; the run goes on. Watch it with: ${again}`);
  return end === 'timeout' ? EXIT.failed : EXIT.interrupted;
}
