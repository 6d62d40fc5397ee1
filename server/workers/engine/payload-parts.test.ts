import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AppError } from '@/lib/protocol/errors';
import { asReference, referencedIn } from '@/lib/protocol/payload';
import type { Json, JsonObject } from '@/lib/shared/json';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryPayloads } from '@/server/adapters/memory/payload-store';
import { SystemClock } from '@/server/adapters/system-clock';
import {
  keepParts,
  type PayloadPolicy,
  resolveReferences,
  splitContent,
} from '@/server/workers/engine/payload-parts';

const clock = new SystemClock();
const scope = () => ({
  organizationId: randomUUID(),
  runId: randomUUID(),
  abort: { aborted: false },
});
const policy = (maxMessageBytes = 1_000_000): PayloadPolicy => ({
  store: createMemoryPayloads(new MemoryDatabase(() => Date.now())),
  thresholdBytes: 100,
  maxMessageBytes,
});
const picture = Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256));
const image = { type: 'image', data: picture.toString('base64'), mimeType: 'image/png' };

describe('large parts of a tool’s content', () => {
  it('are replaced in place, each kind; what is small or of no kind stays', () => {
    const long = 'é'.repeat(100);
    const small = { type: 'text', text: 'short' };
    const link = { type: 'resource_link', uri: 'file:///x', name: 'x'.repeat(500) };
    const resource = {
      type: 'resource',
      resource: { uri: 'a:b', mimeType: 'application/pdf', blob: image.data },
    };
    const { content, parts } = splitContent(
      [small, image, { type: 'text', text: long }, resource, link],
      100,
    );
    const sha256 = createHash('sha256').update(picture).digest('hex');
    const reference = { sha256, bytes: 300, mimeType: 'image/png', encoding: 'base64' };
    expect(content[0]).toEqual(small);
    expect(content[1]).toEqual({ ...image, data: { $payload: reference } });
    const text = asReference((content[2] as JsonObject).text as Json);
    expect(text).toMatchObject({ bytes: 200, mimeType: 'text/plain', encoding: 'utf8' });
    expect(content[3]).toMatchObject({ resource: { uri: 'a:b', blob: { $payload: { sha256 } } } });
    expect(content[4]).toBe(link);
    // The same bytes are one content, under the type that came first.
    expect(parts.map((part) => part.mimeType)).toEqual(['image/png', 'text/plain']);
    expect(referencedIn(JSON.stringify(content)).sort()).toEqual(parts.map((part) => part.sha256).sort());
  });

  it('keep the history from headers that a server would like to write, and text that UTF-8 does not know', () => {
    const evil = { type: 'image', data: image.data, mimeType: 'image/png\r\nset-cookie: a=b' };
    expect(splitContent([evil], 100).parts[0]?.mimeType).toBe('application/octet-stream');
    const typed = { ...evil, mimeType: 'Image/PNG; charset=x' };
    expect(splitContent([typed], 100).parts[0]?.mimeType).toBe('image/png');
    const lone = { type: 'text', text: `\ud800${'x'.repeat(300)}` };
    expect(splitContent([lone], 100)).toEqual({ content: [lone], parts: [] });
    const notBase64 = { type: 'audio', data: '{"not": "base64"}'.repeat(30), mimeType: 'audio/wav' };
    expect(splitContent([notBase64], 100).parts).toEqual([]);
  });
});

describe('references in the arguments of a call', () => {
  it('become what they stand for, and nothing else changes', async () => {
    const of = policy();
    const whose = scope();
    const { content, parts } = splitContent([image, { type: 'text', text: 'long '.repeat(50) }], 100);
    await keepParts(of, whose, clock, parts);
    const args = { image: content[0] as Json, list: [1, { text: (content[1] as JsonObject).text as Json }] };
    expect(await resolveReferences(of, whose, clock, args)).toEqual({
      image,
      list: [1, { text: 'long '.repeat(50) }],
    });
    const plain = { a: { $payload: 'not a reference' }, b: [null, 'x'] };
    expect(await resolveReferences(of, whose, clock, plain)).toBe(plain);
  });

  it('are refused when they are larger together than a message may be, or kept by another run only', async () => {
    const of = policy(700);
    const whose = scope();
    const { content, parts } = splitContent([image], 100);
    await keepParts(of, whose, clock, parts);
    const once = [content[0] as Json];
    expect(await resolveReferences(of, whose, clock, once)).toEqual([image]);
    const twice = resolveReferences(of, whose, clock, [...once, ...once]);
    await expect(twice).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    const other = resolveReferences(of, { ...whose, runId: randomUUID() }, clock, once);
    await expect(other).rejects.toMatchObject({ code: 'PAYLOAD_NOT_FOUND' });
  });

  it('a store that is away is asked again; a call that is given up is not waited for', async () => {
    const of = policy();
    const whose = scope();
    const { parts } = splitContent([image], 100);
    let asked = 0;
    const shaky: PayloadPolicy = {
      ...of,
      store: {
        ...of.store,
        put: async (...given) => {
          if (++asked < 3) throw new AppError('DATABASE_UNAVAILABLE', 'away');
          await of.store.put(...given);
        },
      },
    };
    await keepParts(shaky, whose, clock, parts);
    expect(asked).toBe(3);
    expect((await of.store.find(whose.organizationId, whose.runId, parts[0]?.sha256 ?? ''))?.bytes).toBe(300);
    const gone = { ...whose, abort: { aborted: true } };
    await expect(keepParts(shaky, gone, clock, parts)).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
