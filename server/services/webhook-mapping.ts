import { compileExpression, type Expression, type Lookup } from '@/lib/engine/expression/compile-expression';
import { bareExpression, compileTemplate } from '@/lib/engine/expression/template';
import type { Value } from '@/lib/engine/expression/values';
import { AppError, isAppError } from '@/lib/protocol/errors';
import type { WebhookAction } from '@/lib/protocol/webhooks';
import type { Json, JsonObject } from '@/lib/shared/json';

/** What expressions of a way in can see. */
export interface Posted {
  body: Json;
  /** By lower-case name, without those that carry secrets. */
  headers: JsonObject;
  query: JsonObject;
}

const NAMES = new Set(['body', 'headers', 'query']);

/** Names and ids that deliveries give: as REST takes them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const TEXT = /^[^\u0000-\u001f]{1,1000}$/;

/** What a delivery asks for, filled in. */
export type Asked =
  | {
      kind: 'start';
      workflow: string;
      version: number | undefined;
      workflowId: string | undefined;
      input: Json;
    }
  | {
      kind: 'signal';
      signal: string;
      runId: string | undefined;
      workflowId: string | undefined;
      payload: Json;
    };

/** Checks the expressions of an action and its condition. Throws INVALID_INPUT, EXPRESSION_INVALID. */
export function checkMapping(action: WebhookAction, when: string | undefined): void {
  if (action.kind === 'signal' && (action.runId === undefined) === (action.workflowId === undefined)) {
    throw new AppError('INVALID_INPUT', 'A signal needs either runId or workflowId.', { path: '/action' });
  }
  const { kind: _kind, ...templates } = action;
  const { expressions } = at('/action', () => compileTemplate(templates as Json));
  for (const { pointer, expression } of expressions) checkNames(expression, `/action${pointer}`);
  if (when !== undefined) {
    checkNames(
      at('/when', () => compileExpression(bareExpression(when))),
      '/when',
    );
  }
}

function checkNames(expression: Expression, path: string): void {
  for (const name of expression.names) {
    if (NAMES.has(name)) continue;
    throw new AppError('EXPRESSION_INVALID', `There is no "${name}" here: only body, headers and query.`, {
      path,
    });
  }
}

/** True when a delivery is to be acted on. Throws EXPRESSION_FAILED. */
export function fulfils(when: string | null, posted: Posted, now: number): boolean {
  if (when === null) return true;
  return compileExpression(bareExpression(when)).run(lookup(posted), now) === true;
}

/** Fills an action in. Throws EXPRESSION_FAILED, INVALID_INPUT. */
export function fillAction(action: WebhookAction, posted: Posted, now: number): Asked {
  const fill = (value: Json, path: string) =>
    at(path, () => compileTemplate(value).fill(lookup(posted), now));
  const text = (value: string | undefined, path: string): string | undefined => {
    if (value === undefined) return undefined;
    const filled = fill(value, path);
    const plain = typeof filled === 'number' ? String(filled) : filled;
    if (typeof plain === 'string' && TEXT.test(plain)) return plain;
    throw new AppError('INVALID_INPUT', `${path} gives no usable text for this delivery.`, { path });
  };
  if (action.kind === 'start') {
    return {
      kind: 'start',
      workflow: action.workflow,
      version: action.version,
      workflowId: text(action.workflowId, '/action/workflowId'),
      input: action.input === undefined ? posted.body : fill(action.input, '/action/input'),
    };
  }
  return {
    kind: 'signal',
    signal: text(action.signal, '/action/signal') ?? '',
    runId: text(action.runId, '/action/runId'),
    workflowId: text(action.workflowId, '/action/workflowId'),
    payload: action.payload === undefined ? posted.body : fill(action.payload, '/action/payload'),
  };
}

function lookup(posted: Posted): Lookup {
  const names: Record<string, Json> = { ...posted };
  return (name) => (Object.hasOwn(names, name) ? (names[name] as Value) : undefined);
}

function at<T>(prefix: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isAppError(error)) throw error;
    throw new AppError(error.code, error.message, { path: `${prefix}${error.path ?? ''}` });
  }
}

/** Headers that expressions may see: whatever signs or authenticates is left out. */
export function shownHeaders(headers: Headers): JsonObject {
  const out: JsonObject = {};
  for (const [name, value] of headers) {
    if (/^(authorization|proxy-.*|cookie|.*signature.*|.*token.*|.*secret.*|.*api-?key.*)$/.test(name))
      continue;
    out[name] = value;
  }
  return out;
}

/** The body as expressions see it: JSON, fields of a form, or text. Throws INVALID_JSON. */
export function readPosted(body: Uint8Array, contentType: string): Json {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new AppError('INVALID_JSON', 'The body is not UTF-8.', { path: '/' });
  }
  if (text === '') return null;
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  if (contentType !== '' && !/^application\/(.+\+)?json\b/i.test(contentType)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new AppError('INVALID_JSON', `The body is not JSON: ${(error as Error).message}.`, { path: '/' });
  }
}
