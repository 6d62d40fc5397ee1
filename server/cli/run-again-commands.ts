import { z } from 'zod';
import type { runHistory, runRerun, runRestart, runRetry } from '@/lib/commands/rows/run-again';
import type { ArgsOf } from '@/lib/commands/types';
import { historySchema } from '@/lib/protocol/api-runs';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readJsonSource } from '@/server/cli/input';
import { watchToEnd } from '@/server/cli/orchestrate';
import { revealed } from '@/server/cli/reveal';

const startedSchema = z.looseObject({ runId: z.string() });

/** Starts the new run of the chain, says so, and follows it unless asked not to. */
async function again(
  context: CliContext,
  verb: 'retry' | 'rerun' | 'restart',
  body: unknown,
  args: { run: string; detach?: boolean; timeout?: number },
): Promise<number> {
  const { api, output } = context;
  const { runId } = await api.send('post', `/api/v1/runs/{runId}/${verb}`, {
    path: { runId: args.run },
    body,
    schema: startedSchema,
  });
  output.note('active', '▶', 'Run started', `${runId}, after ${args.run}`);
  if (!args.detach) return watchToEnd(runId, args.timeout, context);
  const row = { runId, previousRunId: args.run };
  const people = () => output.line(`Watch it with: openconductor run watch ${runId}`);
  await output.record(row, people, [row], [{ title: 'RUN', value: (started) => started.runId }]);
  return EXIT.ok;
}

/** `run retry` */
export function retryRun(args: ArgsOf<typeof runRetry>, context: CliContext): Promise<number> {
  return again(context, 'retry', {}, args);
}

/** `run rerun` */
export function rerunRun(args: ArgsOf<typeof runRerun>, context: CliContext): Promise<number> {
  return again(context, 'rerun', { nodeId: args.step }, args);
}

/** `run restart` */
export async function restartRun(args: ArgsOf<typeof runRestart>, context: CliContext): Promise<number> {
  const input =
    args.input === undefined ? {} : { input: await readJsonSource(args.input, '--input', context.input) };
  return again(context, 'restart', { version: args.latest ? 'latest' : 'current', ...input }, args);
}

/** `run history`: the document itself, whatever form is asked for. */
export async function showHistory(
  args: ArgsOf<typeof runHistory>,
  { api, output }: CliContext,
): Promise<number> {
  const format = args.format ?? 'native';
  const history = await api.send('get', '/api/v1/runs/{runId}/history', {
    path: { runId: args.run },
    query: { format, ...revealed(args) },
    schema: historySchema,
  });
  await output.record(
    history,
    () => output.text(JSON.stringify(history, null, 2)),
    [history],
    [{ title: 'EVENTS', value: (row) => row.events.length }],
  );
  return EXIT.ok;
}
