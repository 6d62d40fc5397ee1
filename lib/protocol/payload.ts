import { z } from 'zod';
import { isJsonObject, type Json } from '@/lib/shared/json';

/** Key of a reference. It stands in the place of the text that was moved away. */
export const PAYLOAD_KEY = '$payload';

/**
 * What a reference says about a content that is kept apart: `encoding` is base64 when the text in its place was base64 of
 * the content, else the text was the content itself. A reference is good within its run; runs that are started with it, or
 * are sent it, get a copy.
 */
export const payloadReferenceSchema = z.object({
  [PAYLOAD_KEY]: z.object({
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    bytes: z.int().min(0),
    mimeType: z.string(),
    encoding: z.enum(['base64', 'utf8']),
  }),
});
export type PayloadReference = z.infer<typeof payloadReferenceSchema>;

/** The reference that a value is, or null. Anything that merely looks like one is plain data. */
export function asReference(value: Json): PayloadReference[typeof PAYLOAD_KEY] | null {
  if (!isJsonObject(value) || value[PAYLOAD_KEY] === undefined || Object.keys(value).length !== 1)
    return null;
  const parsed = payloadReferenceSchema.safeParse(value);
  return parsed.success ? parsed.data[PAYLOAD_KEY] : null;
}

/** SHA-256 of the contents that a JSON text refers to. Texts without a reference cost one search. */
export function referencedIn(text: string): string[] {
  if (!text.includes(`"${PAYLOAD_KEY}":`)) return [];
  const found = text.matchAll(/"\$payload":\{[^{}]*?"sha256":"([0-9a-f]{64})"/g);
  return [...new Set([...found].map((match) => match[1] as string))];
}

/** Path of one content of a run. */
export const payloadPathSchema = z.strictObject({
  runId: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex'),
});
