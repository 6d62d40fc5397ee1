import { z } from 'zod';
import type { runAnswer } from '@/lib/commands/rows/run-answer';
import type { ArgsOf, JsonSource } from '@/lib/commands/types';
import { isJsonObject, type JsonObject } from '@/lib/shared/json';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readJsonSource } from '@/server/cli/input';

/** `run answer` */
export async function answerRun(args: ArgsOf<typeof runAnswer>, context: CliContext): Promise<number> {
  const { api, output } = context;
  const given = [args.content, args.result, args.answers].filter((source) => source !== undefined);
  if (given.length + (args.decline ? 1 : 0) > 1) {
    throw badInput('INVALID_INPUT', 'Give one of --content, --result, --answers and --decline.', {
      path: '--content',
    });
  }
  const body: JsonObject = {};
  if (args.answers !== undefined) body.answers = await objectOf(args.answers, '--answers', context);
  else body.answer = await answerOf(args, context);
  if (args.node !== undefined) body.nodePath = args.node;
  if (args.comment !== undefined) body.comment = args.comment;
  await api.send('post', '/api/v1/runs/{runId}/input', {
    path: { runId: args.run },
    body,
    schema: z.unknown(),
  });
  const row = { runId: args.run, accepted: true };
  const people = () => output.note('ok', '✓', 'Answered', args.run);
  await output.record(row, people, [row], [{ title: 'RUN', value: (it) => it.runId }]);
  return EXIT.ok;
}

async function answerOf(args: ArgsOf<typeof runAnswer>, context: CliContext): Promise<JsonObject> {
  if (args.decline) return { action: 'decline' };
  if (args.result !== undefined)
    return { action: 'result', result: await objectOf(args.result, '--result', context) };
  if (args.content === undefined) return { action: 'accept' };
  return { action: 'accept', content: await objectOf(args.content, '--content', context) };
}

async function objectOf(source: JsonSource, field: string, { input }: CliContext): Promise<JsonObject> {
  const given = await readJsonSource(source, field, input);
  if (isJsonObject(given)) return given;
  throw badInput('INVALID_INPUT', `${field} takes a JSON object.`, { path: field });
}
