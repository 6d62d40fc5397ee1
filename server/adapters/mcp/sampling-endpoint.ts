import { AppError } from '@/lib/protocol/errors';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';
import type { SamplingAnswerer } from '@/server/ports/mcp-fleet';

const ANTHROPIC_VERSION = '2023-06-01';
const DEFAULT_MAX_TOKENS = 1024;

/** A language model endpoint that answers `sampling/createMessage`. */
export interface SamplingEndpoint {
  /** `openai`: POST {url}/chat/completions; `anthropic`: POST {url}/v1/messages. */
  kind: 'openai' | 'anthropic';
  url: string;
  apiKey: string;
  model: string;
  /** Upper bound whatever a server asks for. */
  maxTokens: number;
  fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
}

/**
 * Answers requests of servers with a configured model. The server's preference for a model is not followed: which one
 * is paid for is for the operator to say.
 */
export function samplingEndpoint(endpoint: SamplingEndpoint): SamplingAnswerer {
  return async (params, signal) => {
    const { kind, url, apiKey, model } = endpoint;
    const base = url.replace(/\/+$/, '');
    const request =
      kind === 'openai'
        ? {
            url: `${base}/chat/completions`,
            headers: { authorization: `Bearer ${apiKey}` },
            body: openAiBody(params, endpoint),
          }
        : {
            url: `${base}/v1/messages`,
            headers: { 'x-api-key': apiKey, 'anthropic-version': ANTHROPIC_VERSION },
            body: anthropicBody(params, endpoint),
          };
    const response = await endpoint.fetch(request.url, {
      method: 'POST',
      headers: { ...request.headers, 'content-type': 'application/json' },
      body: JSON.stringify(request.body),
      signal,
    });
    const text = await response.text();
    if (!response.ok)
      throw new AppError('NETWORK_ERROR', `The language model answered HTTP ${response.status}.`);
    let answer: Json;
    try {
      answer = JSON.parse(text) as Json;
    } catch (error) {
      throw new AppError('PROTOCOL_ERROR', 'The language model answered with something that is not JSON.', {
        cause: error,
      });
    }
    return kind === 'openai' ? fromOpenAi(answer, model) : fromAnthropic(answer, model);
  };
}

function tokens(params: JsonObject, endpoint: SamplingEndpoint): number {
  const { maxTokens } = params;
  return Math.min(typeof maxTokens === 'number' ? maxTokens : DEFAULT_MAX_TOKENS, endpoint.maxTokens);
}

function messagesOf(params: JsonObject): Array<{ role: string; parts: JsonObject[] }> {
  const messages = Array.isArray(params.messages) ? params.messages : [];
  return messages.filter(isJsonObject).map(({ role, content }) => {
    const parts = (Array.isArray(content) ? content : [content ?? null]).filter(isJsonObject);
    return { role: role === 'assistant' ? 'assistant' : 'user', parts };
  });
}

function shared(params: JsonObject): JsonObject {
  const { temperature } = params;
  return typeof temperature === 'number' ? { temperature } : {};
}

function openAiBody(params: JsonObject, endpoint: SamplingEndpoint): JsonObject {
  const part = (content: JsonObject): JsonObject =>
    content.type === 'image'
      ? {
          type: 'image_url',
          image_url: { url: `data:${String(content.mimeType)};base64,${String(content.data)}` },
        }
      : { type: 'text', text: String(content.text ?? '') };
  const messages: Json[] = messagesOf(params).map(({ role, parts }) => ({ role, content: parts.map(part) }));
  if (typeof params.systemPrompt === 'string')
    messages.unshift({ role: 'system', content: params.systemPrompt });
  const { stopSequences } = params;
  return {
    model: endpoint.model,
    messages,
    max_tokens: tokens(params, endpoint),
    ...shared(params),
    ...(Array.isArray(stopSequences) && stopSequences.length > 0 ? { stop: stopSequences } : {}),
  };
}

function anthropicBody(params: JsonObject, endpoint: SamplingEndpoint): JsonObject {
  const part = (content: JsonObject): JsonObject =>
    content.type === 'image'
      ? {
          type: 'image',
          source: { type: 'base64', media_type: content.mimeType ?? null, data: content.data ?? null },
        }
      : { type: 'text', text: String(content.text ?? '') };
  const { stopSequences, systemPrompt } = params;
  return {
    model: endpoint.model,
    messages: messagesOf(params).map(({ role, parts }) => ({ role, content: parts.map(part) })),
    max_tokens: tokens(params, endpoint),
    ...shared(params),
    ...(typeof systemPrompt === 'string' ? { system: systemPrompt } : {}),
    ...(Array.isArray(stopSequences) && stopSequences.length > 0 ? { stop_sequences: stopSequences } : {}),
  };
}

function result(text: string, model: string, stop: unknown): JsonObject {
  const reasons: Record<string, string> = {
    stop: 'endTurn',
    end_turn: 'endTurn',
    length: 'maxTokens',
    max_tokens: 'maxTokens',
    stop_sequence: 'stopSequence',
  };
  const stopReason = reasons[String(stop)] ?? 'endTurn';
  return { role: 'assistant', model, stopReason, content: { type: 'text', text } };
}

function fromOpenAi(answer: Json, model: string): JsonObject {
  const choices = isJsonObject(answer) && Array.isArray(answer.choices) ? answer.choices : [];
  const [choice] = choices;
  const message = isJsonObject(choice) ? choice.message : undefined;
  const text = isJsonObject(message) ? message.content : undefined;
  if (!isJsonObject(choice) || typeof text !== 'string') throw unreadable();
  return result(
    text,
    isJsonObject(answer) && typeof answer.model === 'string' ? answer.model : model,
    choice.finish_reason,
  );
}

function fromAnthropic(answer: Json, model: string): JsonObject {
  if (!isJsonObject(answer) || !Array.isArray(answer.content)) throw unreadable();
  const texts = answer.content
    .filter(isJsonObject)
    .map((part) => (typeof part.text === 'string' ? part.text : ''));
  return result(texts.join(''), typeof answer.model === 'string' ? answer.model : model, answer.stop_reason);
}

function unreadable(): AppError {
  return new AppError('PROTOCOL_ERROR', 'The language model answered without a text.');
}
