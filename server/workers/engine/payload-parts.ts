import { createHash } from 'node:crypto';
import { AppError } from '@/lib/protocol/errors';
import { asReference, PAYLOAD_KEY } from '@/lib/protocol/payload';
import type { Clock } from '@/lib/shared/clock';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';
import type { NewPayload, Payloads } from '@/server/ports/payloads';
import { backOff } from '@/server/workers/engine/back-off';

/** What is kept apart from histories. */
export interface PayloadPolicy {
  store: Payloads;
  /** Parts of an answer from this many bytes on are kept apart. */
  thresholdBytes: number;
  /** Bytes of the largest message to or from a tool, parts that are kept apart included. */
  maxMessageBytes: number;
}

/** Whose contents, and until when it matters. */
export interface PayloadScope {
  organizationId: string;
  runId: string;
  /** Whether the call that they belong to still matters. */
  abort: { readonly aborted: boolean };
}

/** An answer's content with references in the places of its large parts, and what they refer to. */
export interface SplitContent {
  content: Json[];
  parts: NewPayload[];
}

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,60}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}$/i;
const BASE64 = /^[A-Za-z0-9+/_\-\s]+=*\s*$/;

/**
 * Takes the large parts out of a tool's content: `data` of pictures and sound, `blob` and `text` of embedded resources, long
 * `text`. A reference stands where the part was. What expressions work on (`text`, `json`, `structuredContent` of the
 * output) is not touched: it stays whole in the history.
 */
export function splitContent(content: readonly Json[], thresholdBytes: number): SplitContent {
  const parts = new Map<string, NewPayload>();
  const move = (value: Json | undefined, encoding: 'base64' | 'utf8', mimeType: Json | undefined) => {
    if (typeof value !== 'string' || value.length * 3 < thresholdBytes) return value;
    const body = bytesOf(value, encoding);
    if (body === null || body.length < thresholdBytes) return value;
    const sha256 = createHash('sha256').update(body).digest('hex');
    const type = mediaType(mimeType, encoding);
    if (!parts.has(sha256)) parts.set(sha256, { sha256, mimeType: type, body });
    return { [PAYLOAD_KEY]: { sha256, bytes: body.length, mimeType: type, encoding } };
  };
  const moved = content.map((part): Json => {
    if (!isJsonObject(part)) return part;
    const { mimeType, resource } = part;
    if (part.data !== undefined && (part.type === 'image' || part.type === 'audio'))
      return given(part, { data: move(part.data, 'base64', mimeType) });
    if (part.type === 'text') return given(part, { text: move(part.text, 'utf8', 'text/plain') });
    if (part.type !== 'resource' || !isJsonObject(resource)) return part;
    const inner = given(resource, {
      blob: move(resource.blob, 'base64', resource.mimeType),
      text: move(resource.text, 'utf8', resource.mimeType ?? 'text/plain'),
    });
    return { ...part, resource: inner };
  });
  return { content: moved, parts: [...parts.values()] };
}

/** The object with other values for the fields that it has. */
function given(object: JsonObject, fields: Record<string, Json | undefined>): JsonObject {
  const out = { ...object };
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) out[name] = value;
  return out;
}

/** Null when the text could not be given back as it is. Base64 comes back in its canonical form. */
function bytesOf(text: string, encoding: 'base64' | 'utf8'): Buffer | null {
  if (encoding === 'base64') return BASE64.test(text) ? Buffer.from(text, 'base64') : null;
  const body = Buffer.from(text, 'utf8');
  // A lone surrogate has no UTF-8.
  return body.toString('utf8') === text ? body : null;
}

/** A media type becomes a header when the content is downloaded: nothing but a plain one is taken over. */
function mediaType(given: Json | undefined, encoding: 'base64' | 'utf8'): string {
  const type = typeof given === 'string' ? (given.split(';')[0] ?? '').trim() : '';
  if (MEDIA_TYPE.test(type)) return type.toLowerCase();
  return encoding === 'utf8' ? 'text/plain' : 'application/octet-stream';
}

/** Makes parts durable; tries again until the store answers or the call no longer matters (then throws CANCELLED). */
export async function keepParts(
  { store }: PayloadPolicy,
  scope: PayloadScope,
  clock: Clock,
  parts: readonly NewPayload[],
): Promise<void> {
  if (parts.length === 0) return;
  await insist(clock, scope.abort, () => store.put(scope.organizationId, scope.runId, parts));
}

/**
 * The value with the contents back in the places of their references; the very same value when there are none.
 * Throws PAYLOAD_NOT_FOUND, PAYLOAD_TOO_LARGE; waits for a store that does not answer.
 */
export async function resolveReferences(
  { store, maxMessageBytes }: PayloadPolicy,
  scope: PayloadScope,
  clock: Clock,
  value: Json,
): Promise<Json> {
  const references = referencesIn(value);
  if (references.length === 0) return value;
  const { organizationId, runId, abort } = scope;
  const bodies = new Map<string, Buffer>();
  const sizes = new Map<string, number>();
  let total = 0;
  for (const { sha256, encoding } of references) {
    let bytes = sizes.get(sha256);
    if (bytes === undefined) {
      const facts = await insist(clock, abort, () => store.find(organizationId, runId, sha256));
      if (!facts)
        throw new AppError('PAYLOAD_NOT_FOUND', `The content ${sha256.slice(0, 12)}… is not kept any more.`);
      bytes = facts.bytes;
      sizes.set(sha256, bytes);
    }
    total += encoding === 'base64' ? Math.ceil(bytes / 3) * 4 : bytes;
    if (total > maxMessageBytes) {
      const message = `The arguments hold ${total} bytes or more with what they refer to; ${maxMessageBytes} are allowed.`;
      throw new AppError('PAYLOAD_TOO_LARGE', message);
    }
  }
  for (const [sha256, bytes] of sizes) {
    const body = await insist(clock, abort, () => store.read(organizationId, runId, sha256, 0, bytes));
    bodies.set(sha256, Buffer.from(body));
  }
  return withContents(value, bodies);
}

/** The references in a value, however deep. */
export function referencesIn(value: Json): { sha256: string; encoding: 'base64' | 'utf8' }[] {
  if (typeof value !== 'object' || value === null) return [];
  const reference = asReference(value);
  if (reference !== null) return [reference];
  const found: { sha256: string; encoding: 'base64' | 'utf8' }[] = [];
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) found.push(...referencesIn(inner));
  }
  return found;
}

function withContents(value: Json, bodies: ReadonlyMap<string, Buffer>): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => withContents(inner, bodies));
  const reference = asReference(value);
  if (reference === null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, withContents(inner, bodies)]),
    );
  }
  return bodies.get(reference.sha256)?.toString(reference.encoding) ?? null;
}

/** A call was made and its answer is here, or is about to be made: neither fails because the database is away for a while. */
async function insist<T>(clock: Clock, abort: PayloadScope['abort'], work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    if (abort.aborted) throw new AppError('CANCELLED', 'The call was cancelled.');
    try {
      return await work();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'DATABASE_UNAVAILABLE') throw error;
      await backOff(clock, attempt);
    }
  }
}
