import { firstMismatch } from '@/lib/engine/json-schema';
import type { NodeState, RunState } from '@/lib/engine/types';
import type { InputBody } from '@/lib/protocol/api-runs';
import { AppError } from '@/lib/protocol/errors';
import type { InputAnswerBody, InputRequiredBody } from '@/lib/protocol/input-required';
import { isJsonObject, type JsonObject } from '@/lib/shared/json';

/** A call that waits for answers. */
export interface OpenQuestion {
  activityId: string;
  node: NodeState;
  question: InputRequiredBody;
}

/** Questions of servers that nobody has answered yet, in the order in which their nodes began. */
export function openQuestions(state: RunState): OpenQuestion[] {
  return [...state.nodes.values()].flatMap((node) =>
    (['do', 'compensate'] as const).flatMap((purpose) => {
      const call = purpose === 'do' ? node.call : node.compensation;
      if (call?.status !== 'input_required' || call.question === undefined || call.cancelRequested) return [];
      return [{ activityId: `${node.path}:${purpose}`, node, question: call.question }];
    }),
  );
}

/** The question that an answer is for. Throws NODE_NOT_FOUND, INPUT_NOT_EXPECTED, AMBIGUOUS_TARGET. */
export function questionOf(state: RunState, nodePath: string | undefined): OpenQuestion {
  if (nodePath !== undefined && !state.nodes.has(nodePath)) {
    const message = `The run has no node "${nodePath.slice(0, 200)}".`;
    throw new AppError('NODE_NOT_FOUND', message, { path: '/nodePath' });
  }
  const fitting = openQuestions(state).filter(({ node }) => nodePath === undefined || node.path === nodePath);
  const [first] = fitting;
  if (first === undefined)
    throw new AppError('INPUT_NOT_EXPECTED', 'No server asks anything there now.', { path: '/nodePath' });
  if (fitting.length === 1) return first;
  throw new AppError('AMBIGUOUS_TARGET', `${fitting.length} calls of the run ask something: say which.`, {
    path: '/nodePath',
    details: fitting.map(({ node }) => ({ path: node.path, message: 'Its server asks something.' })),
  });
}

/**
 * The answers by key, checked against what is asked. A form that is accepted must match its schema; what a model would be
 * asked may be left out (it is answered by the model that is set up, or refused). Throws INVALID_INPUT, AMBIGUOUS_TARGET.
 */
export function checkedAnswers({ question }: OpenQuestion, body: InputBody): Record<string, InputAnswerBody> {
  const { requests } = question;
  const answers = body.answers ?? single(requests, body.answer);
  for (const key of Object.keys(answers)) {
    if (!requests.some((request) => request.key === key))
      throw new AppError('INVALID_INPUT', `Nothing is asked under "${key.slice(0, 200)}".`, {
        path: `/answers/${key}`,
      });
  }
  for (const request of requests) {
    const answer = answers[request.key];
    const path = `/answers/${request.key}`;
    if (answer === undefined) {
      if (request.kind !== 'sampling')
        throw new AppError('INVALID_INPUT', 'This question has no answer.', { path });
      continue;
    }
    if (request.kind === 'sampling') {
      if (answer.action === 'accept')
        throw new AppError('INVALID_INPUT', 'A model’s answer is given with the action result.', { path });
      continue;
    }
    if (answer.action === 'result')
      throw new AppError('INVALID_INPUT', 'The action result answers requests for a model only.', { path });
    if (request.kind !== 'form' || answer.action !== 'accept') continue;
    const problem = firstMismatch(
      request.schema as JsonObject,
      {
        ...defaultsOf(request.schema as JsonObject),
        ...answer.content,
      } as JsonObject,
    );
    if (problem !== null)
      throw new AppError(
        'INVALID_INPUT',
        `The form does not fit: ${problem.pointer || '/'} ${problem.message}.`,
        {
          path: `${path}/content${problem.pointer}`,
        },
      );
  }
  return answers;
}

function single(
  requests: InputRequiredBody['requests'],
  answer: InputAnswerBody | undefined,
): Record<string, InputAnswerBody> {
  const people = requests.filter((request) => request.kind !== 'sampling');
  const [only] = people.length > 0 ? people : requests;
  if (only === undefined || answer === undefined || people.length > 1) {
    throw new AppError('AMBIGUOUS_TARGET', `${requests.length} things are asked: answer each by its key.`, {
      path: '/answers',
      details: requests.map((request) => ({ path: `/answers/${request.key}`, message: request.kind })),
    });
  }
  return { [only.key]: answer };
}

/** A field left alone is answered with its default. */
function defaultsOf(schema: JsonObject): JsonObject {
  const { properties } = schema;
  if (!isJsonObject(properties)) return {};
  const known = Object.entries(properties).flatMap(([name, field]) =>
    isJsonObject(field) && field.default !== undefined ? [[name, field.default] as const] : [],
  );
  return Object.fromEntries(known);
}
