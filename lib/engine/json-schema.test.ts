import { describe, expect, it } from 'vitest';
import { firstMismatch } from '@/lib/engine/json-schema';
import type { Json } from '@/lib/shared/json';

describe('the check of a value against a schema', () => {
  it('gives up on a schema that refers to itself in several places, in place of checking for ever', () => {
    const again = { $ref: '#' };
    const problem = firstMismatch({ allOf: [again, again, again, again] }, { a: 1 });
    expect(problem).toEqual({
      pointer: '',
      message: 'cannot be checked: its schema takes more than 1,000,000 steps',
    });
    // Neither what must not fit nor what may fit otherwise makes a value fit that could not be checked.
    for (const schema of [{ not: { oneOf: [again, again, again] } }, { oneOf: [again, again, again, true] }])
      expect(firstMismatch(schema as Json, 1)?.message).toContain('cannot be checked');
  });

  it('checks a recursive schema as deep as the value goes', () => {
    const list: Json = { type: 'object', properties: { next: { $ref: '#' }, n: { type: 'integer' } } };
    expect(firstMismatch(list, { n: 1, next: { n: 2, next: { n: 3 } } })).toBeNull();
    expect(firstMismatch(list, { n: 1, next: { n: 2, next: { n: 'x' } } })).toEqual({
      pointer: '/next/next/n',
      message: 'must be integer',
    });
  });

  it('checks a large value in full', () => {
    const items = Array.from({ length: 50_000 }, (_none, i) => (i === 49_999 ? 'x' : i));
    expect(firstMismatch({ type: 'array', items: { type: 'number' } }, items)).toEqual({
      pointer: '/49999',
      message: 'must be number',
    });
  });

  it('names a long list of allowed values in short', () => {
    const many = Array.from({ length: 1_000 }, (_none, i) => `value-${i}`);
    expect(firstMismatch({ enum: many }, 'other')?.message.length).toBeLessThan(600);
  });
});
