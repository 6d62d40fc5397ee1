import { describe, expect, it } from 'vitest';
import { readBody } from '@/server/adapters/http/body';
import { etagOf, isUnchanged, seenVersion } from '@/server/adapters/http/etag';
import { jsonOrYaml } from '@/server/adapters/http/yaml-answer';
import type { StoredDefinition } from '@/server/ports/definition-store';

const stored = { name: 'a', version: 3, hash: 'abcdef0123456789ffff' } as StoredDefinition;
const headers = (values: Record<string, string>) => new Headers(values);

describe('what the caller would rather read', () => {
  it.each([
    ['', 'json'],
    ['*/*', 'json'],
    ['application/yaml', 'yaml'],
    ['text/yaml;q=0.5, application/json', 'json'],
    ['text/html, application/x-yaml;q=0.9, */*;q=0.1', 'yaml'],
  ])('%s → %s', (accept, form) => {
    expect(jsonOrYaml(headers({ accept }))).toBe(form);
  });

  it('refuses what cannot be had', () => {
    expect(() => jsonOrYaml(headers({ accept: 'image/png' }))).toThrow(
      expect.objectContaining({ code: 'NOT_ACCEPTABLE' }),
    );
    expect(() => jsonOrYaml(headers({ accept: 'application/json;q=0' }))).toThrow();
  });
});

describe('versions that were seen', () => {
  const tag = etagOf(stored);

  it('are the newest one, or refused', () => {
    expect(tag).toBe('"3-abcdef0123456789"');
    expect(seenVersion(headers({ 'if-match': `"1-x", ${tag}` }), stored)).toBe(3);
    expect(seenVersion(headers({ 'if-match': '*' }), stored)).toBe(3);
    expect(seenVersion(headers({ 'if-none-match': '*' }), null)).toBe(0);
    expect(seenVersion(headers({}), stored)).toBeUndefined();
    for (const [given, current] of [
      [{ 'if-match': '"2-abcdef0123456789"' }, stored],
      [{ 'if-match': `W/${tag}` }, stored],
      [{ 'if-match': '*' }, null],
      [{ 'if-none-match': '*' }, stored],
    ] as [Record<string, string>, StoredDefinition | null][]) {
      expect(() => seenVersion(headers(given), current)).toThrow(
        expect.objectContaining({ code: 'VERSION_CONFLICT' }),
      );
    }
  });

  it('spare a reading that would give the same', () => {
    expect(isUnchanged(headers({ 'if-none-match': `W/${tag}` }), stored)).toBe(true);
    expect(isUnchanged(headers({ 'if-none-match': '"2-x"' }), stored)).toBe(false);
  });
});

describe('bodies', () => {
  const read = (body: string, type = 'application/json') =>
    readBody(
      new Request('http://x/', { method: 'POST', body, headers: { 'content-type': type } }),
      100_000,
      true,
    );

  it('are JSON or YAML', async () => {
    expect(await read('{"a":[1]}', 'application/problem+json; charset=utf-8')).toEqual({ a: [1] });
    expect(await read('a: [1]\nwhen: 2026-11-20', 'text/yaml')).toEqual({ a: [1], when: '2026-11-20' });
  });

  it.each([
    ['{"a"', 'application/json', 'INVALID_JSON'],
    ['a: [1', 'application/yaml', 'INVALID_YAML'],
    ['a: 1', 'application/octet-stream', 'UNSUPPORTED_MEDIA_TYPE'],
    [JSON.stringify('x'.repeat(100_001)), 'application/json', 'PAYLOAD_TOO_LARGE'],
    [`${'['.repeat(5_000)}${']'.repeat(5_000)}`, 'application/json', 'INVALID_INPUT'],
    ['{"a":"\\ud800"}', 'application/json', 'INVALID_INPUT'],
    ['{"\\udc00":1}', 'application/json', 'INVALID_INPUT'],
    [bomb(), 'application/yaml', 'INVALID_YAML'],
  ])('%.20s as %s: %s', async (body, type, code) => {
    await expect(read(body, type)).rejects.toMatchObject({ code });
  });

  it('takes text beyond the basic plane', async () => {
    expect(await read('"😀"')).toBe('😀');
  });
});

/** Aliases that would unfold to a billion values. */
function bomb(): string {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
  for (let i = 1; i < 10; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(',')}]`,
    );
  return lines.join('\n');
}
