import { parseDocument } from 'yaml';
import { AppError, jsonPointer } from '@/lib/protocol/errors';
import { MAX_NESTING } from '@/lib/shared/json';

/** Aliases of a YAML document may stand for this many nodes each, so that a small file cannot become a huge value. */
const MAX_ALIASES = 100;

const JSON_TYPE = /^application\/(.+\+)?json\b/i;
const YAML_TYPE = /^(application\/(x-)?yaml|text\/(x-)?yaml|application\/.+\+yaml)\b/i;

/**
 * The body as a value; `contents` are JSON pointers to what in it may hold a NUL. Throws UNSUPPORTED_MEDIA_TYPE,
 * PAYLOAD_TOO_LARGE, INVALID_JSON, INVALID_YAML, INVALID_INPUT (nested too deep, text that is not Unicode, a NUL elsewhere).
 */
export async function readBody(
  request: Request,
  maxBytes: number,
  yaml: boolean,
  contents: readonly string[] = [],
): Promise<unknown> {
  const type = request.headers.get('content-type') ?? '';
  const isYaml = yaml && YAML_TYPE.test(type);
  if (!isYaml && !JSON_TYPE.test(type)) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', `The body is "${type || 'of no type'}".`, {
      path: '/headers/content-type',
    });
  }
  const source = await readText(request, maxBytes);
  const value = isYaml ? parseYaml(source) : parseJson(source);
  checkShape(value, contents);
  return value;
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (error) {
    throw new AppError('INVALID_JSON', `The body is not JSON: ${(error as Error).message}.`, { path: '/' });
  }
}

function parseYaml(source: string): unknown {
  const refuse = (message: string) =>
    new AppError('INVALID_YAML', `The body is not YAML that can be used: ${message}`, { path: '/' });
  const document = parseDocument(source, { prettyErrors: true });
  const fault = document.errors[0];
  if (fault !== undefined) throw refuse(fault.message);
  try {
    // Through JSON, so that whatever YAML knows beyond it (dates, sets, keys that are no text) cannot get any further.
    return JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: MAX_ALIASES }) ?? null));
  } catch (error) {
    throw refuse((error as Error).message);
  }
}

/**
 * Refuses what no schema should have to walk: values nested too deep, and text with half a surrogate pair. Also a NUL, which a
 * database takes in JSON alone, except in what `contents` points to (JSON pointers; the whole value when left out).
 * Throws INVALID_INPUT.
 */
export function checkShape(value: unknown, contents: readonly string[] = ['']): void {
  const stack: { value: unknown; path: string[] }[] = [{ value, path: [] }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { path } = top;
    if (typeof top.value === 'string') checkText(top.value, path, contents);
    if (typeof top.value !== 'object' || top.value === null) continue;
    if (path.length >= MAX_NESTING) {
      throw new AppError('INVALID_INPUT', `The body is nested more than ${MAX_NESTING} levels deep.`, {
        path: '/',
      });
    }
    for (const [key, inner] of Object.entries(top.value)) {
      checkText(key, path, contents);
      if (typeof inner === 'string') checkText(inner, [...path, key], contents);
      else if (typeof inner === 'object' && inner !== null)
        stack.push({ value: inner, path: [...path, key] });
    }
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;

function checkText(text: string, path: readonly string[], contents: readonly string[]): void {
  if (LONE_SURROGATE.test(text)) throw badText(path, 'is not Unicode (half a surrogate pair)');
  if (!text.includes('\u0000')) return;
  const place = jsonPointer(path);
  if (!contents.some((one) => place === one || place.startsWith(`${one}/`)))
    throw badText(path, 'holds a NUL character');
}

function badText(path: readonly string[], what: string): AppError {
  const pointer = jsonPointer(path) || '/';
  return new AppError('INVALID_INPUT', `${pointer}: the text ${what}.`, { path: pointer });
}

/**
 * Refuses a NUL in a request that is handed on to a library: its address, and its body as a form or JSON. What is neither is the
 * library's to refuse. Throws INVALID_INPUT.
 */
export function refuseNul(request: Request, body: string): void {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers.get('content-type') ?? '');
  if (request.url.includes('%00') || (isForm && (body.includes('%00') || body.includes('\u0000')))) {
    throw new AppError('INVALID_INPUT', 'The request holds a NUL character.', { path: '/' });
  }
  if (isForm || body === '') return;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return;
  }
  checkShape(value, []);
}

/** The bytes of the body. Throws PAYLOAD_TOO_LARGE. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new AppError('PAYLOAD_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`, { path: '/' });
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const bytes = await readBytes(request, maxBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AppError('INVALID_JSON', 'The body is not UTF-8.', { path: '/' });
  }
}
