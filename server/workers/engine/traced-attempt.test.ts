import { expect, it } from 'vitest';
import type { RunActivity } from '@/lib/engine/commands';
import type { Telemetry } from '@/server/ports/telemetry';
import type { AttemptFacts, Tracing } from '@/server/ports/tracing';
import type { ActivityDeps, ActivityScope } from '@/server/workers/engine/activities';
import { CallAbort } from '@/server/workers/engine/call-abort';
import type { ResidentRun } from '@/server/workers/engine/resident-run';
import { runTracedAttempt } from '@/server/workers/engine/traced-attempt';

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const deps = {
  functions: new Map([
    ['good', () => 1],
    [
      'bad',
      () => {
        throw Object.assign(new Error('secret'), { code: 'NETWORK_ERROR' });
      },
    ],
  ]),
  clock: { now: () => 0, at: () => () => undefined },
  telemetry: { taskExecuted: () => undefined } as Partial<Telemetry> as Telemetry,
} as unknown as ActivityDeps;
const scope: ActivityScope = { organizationId: 'o', runId: 'r', abort: new CallAbort() };
const command = (name: string) =>
  ({
    type: 'RUN_ACTIVITY',
    activityId: 'a:call',
    nodePath: 'a',
    nodeId: 'a',
    attempt: 2,
    target: { kind: 'function', name },
    input: null,
    timeoutMs: 1_000,
  }) as unknown as RunActivity;
const runOf = (trace?: typeof TRACE) =>
  ({ info: { organizationId: 'o', runId: 'r' }, state: { trace } }) as unknown as ResidentRun;

function recorder() {
  const begun: AttemptFacts[] = [];
  const ended: (string | undefined)[] = [];
  const tracing = {
    attempt: (_run: unknown, facts: AttemptFacts) => {
      begun.push(facts);
      return { context: TRACE, set: () => undefined, end: (code?: string) => void ended.push(code) };
    },
  } as unknown as Tracing;
  return { tracing, begun, ended };
}

it('makes one span an attempt, and ends it with the code of the failure', async () => {
  const { tracing, begun, ended } = recorder();
  expect((await runTracedAttempt(tracing, runOf(TRACE), deps, scope, command('good'))).kind).toBe(
    'completed',
  );
  expect((await runTracedAttempt(tracing, runOf(TRACE), deps, scope, command('bad'))).kind).toBe('failed');
  expect(begun.map(({ activityId, attempt }) => [activityId, attempt])).toEqual([
    ['a:call', 2],
    ['a:call', 2],
  ]);
  expect(ended).toEqual([undefined, 'NETWORK_ERROR']);
});

it('makes none for a run that was started while tracing was off, nor while it is off', async () => {
  const { tracing, begun } = recorder();
  expect((await runTracedAttempt(tracing, runOf(), deps, scope, command('good'))).kind).toBe('completed');
  expect((await runTracedAttempt(undefined, runOf(TRACE), deps, scope, command('good'))).kind).toBe(
    'completed',
  );
  expect(begun).toEqual([]);
});
