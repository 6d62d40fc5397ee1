import {
  type CallToolResult,
  type ElicitRequest,
  type InputRequiredResult,
  type InputRequest as SdkInputRequest,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/client';
import type { ServerConfig } from '@/lib/protocol/server-config';
import { isJsonObject, type JsonObject } from '@/lib/shared/json';
import type { InputAnswer, InputRequest, InputRequired } from '@/server/ports/mcp-fleet';

/** A result of a call that is not one yet: the server wants to know something first. */
export function isInputRequired(result: CallToolResult | InputRequiredResult): result is InputRequiredResult {
  return (result as { resultType?: unknown }).resultType === 'input_required';
}

/** Reads an `input_required` result; what the policy or the configuration of the server answers is answered already. */
export function roundOf(result: InputRequiredResult, config: ServerConfig): InputRequired {
  const requests: InputRequest[] = [];
  const answered: Record<string, JsonObject> = {};
  for (const [key, request] of Object.entries(result.inputRequests ?? {})) {
    const asked = toRequest(key, request);
    const answer = asked === undefined ? { roots: rootsOf(config) } : refusal(asked, config);
    if (answer !== undefined) answered[key] = answer as JsonObject;
    else if (asked !== undefined) requests.push(asked);
  }
  const { requestState } = result;
  return { requests, durable: true, answered, ...(requestState === undefined ? {} : { requestState }) };
}

/** An embedded request in our form; undefined for roots, which no person is asked about. */
function toRequest(key: string, request: SdkInputRequest): InputRequest | undefined {
  switch (request.method) {
    case 'elicitation/create':
      return elicitation(key, request.params);
    case 'sampling/createMessage':
      return { key, kind: 'sampling', params: request.params as unknown as JsonObject };
    default:
      return undefined;
  }
}

/** An elicitation of either era in our form. */
export function elicitation(key: string, params: ElicitRequest['params']): InputRequest {
  if (params.mode === 'url') return { key, kind: 'url', message: params.message, url: params.url };
  return {
    key,
    kind: 'form',
    message: params.message,
    schema: params.requestedSchema as unknown as JsonObject,
  };
}

/** The policy's own answer to a request, or undefined when somebody has to be asked. */
function refusal(request: InputRequest, config: ServerConfig): JsonObject | undefined {
  if (request.kind === 'sampling') return (config.sampling ?? 'refuse') === 'refuse' ? noModel() : undefined;
  return config.elicitation === 'refuse' ? { action: 'decline' } : undefined;
}

/** Where the server may work, as MCP's roots. */
export function rootsOf(config: ServerConfig): Array<{ uri: string; name?: string }> {
  return (config.roots ?? []).map((uri) => ({ uri }));
}

/** An answer in the server's own words. An answer of the wrong kind counts as a refusal. */
export function toResponse(request: InputRequest, answer: InputAnswer | undefined): JsonObject {
  if (request.kind === 'sampling') return answer?.action === 'result' ? answer.result : noModel();
  if (answer === undefined || answer.action === 'result') return { action: 'cancel' };
  if (answer.action !== 'accept') return { action: answer.action };
  if (request.kind === 'url') return { action: 'accept' };
  return { action: 'accept', content: { ...defaultsOf(request.schema), ...answer.content } };
}

/** The values that a form starts with: a field left alone is answered with its default. */
function defaultsOf(schema: JsonObject): JsonObject {
  const defaults: JsonObject = {};
  const { properties } = schema;
  if (!isJsonObject(properties)) return defaults;
  for (const [name, field] of Object.entries(properties)) {
    if (isJsonObject(field) && field.default !== undefined) defaults[name] = field.default;
  }
  return defaults;
}

/** MCP has no refusal inside a sampling result: the answer says so in its text. */
function noModel(): JsonObject {
  return {
    role: 'assistant',
    model: 'none',
    stopReason: 'refused',
    content: { type: 'text', text: 'The request was refused: no language model may be used here.' },
  };
}

/** What is sent with a call that is taken up again with answers. */
export function answersOf(
  input: InputRequired,
  answers: Record<string, InputAnswer>,
): { inputResponses: Record<string, JsonObject>; requestState?: string } | undefined {
  const { requests, requestState } = input;
  // Pages to visit before a call of 2025 leave nothing to send: the call is simply made again.
  if (
    requestState === undefined &&
    requests.length > 0 &&
    requests.every((request) => request.key.startsWith(URL_KEY))
  )
    return undefined;
  const inputResponses: Record<string, JsonObject> = { ...input.answered };
  for (const request of requests) inputResponses[request.key] = toResponse(request, answers[request.key]);
  return { inputResponses, ...(requestState === undefined ? {} : { requestState }) };
}

const URL_KEY = 'visit:';

/** The pages that a server of 2025 wants visited before it takes the call (error -32042), as a round. */
export function urlRound(error: unknown): InputRequired | undefined {
  if (!(error instanceof UrlElicitationRequiredError)) return undefined;
  const requests = error.elicitations.map(({ elicitationId, message, url }) => ({
    key: `${URL_KEY}${elicitationId}`,
    kind: 'url' as const,
    message,
    url,
  }));
  // The call was refused before it did anything, so it can be repeated by any process once the pages were visited.
  return { requests, durable: true };
}
