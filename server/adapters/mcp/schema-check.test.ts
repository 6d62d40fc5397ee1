import { describe, expect, it } from 'vitest';
import { compileSchema } from '@/server/adapters/mcp/schema-check';

describe('compileSchema', () => {
  const check = (schema: unknown, value: unknown) => compileSchema(schema).check(value);

  it('names the place of the first problem as a JSON pointer', () => {
    const schema = {
      type: 'object',
      properties: {
        list: {
          type: 'array',
          items: {
            type: 'object',
            required: ['a/b'],
            additionalProperties: false,
            properties: { 'a/b': { enum: [1, 2] } },
          },
        },
      },
    };
    expect(check(schema, { list: [{ 'a/b': 1 }] })).toBeUndefined();
    expect(check(schema, { list: [{}] })).toEqual({ path: '/list/0/a~1b', message: 'is required' });
    expect(check(schema, { list: [{ 'a/b': 1, c: 1 }] })).toEqual({
      path: '/list/0/c',
      message: 'is not known to the tool',
    });
    expect(check(schema, { list: [{ 'a/b': 3 }] })).toEqual({
      path: '/list/0/a~1b',
      message: 'must be one of [1,2]',
    });
    expect(check(schema, [])?.path).toBe('');
  });

  it('reads the dialect from $schema, 2020-12 by default', () => {
    const tuple = { type: 'array', prefixItems: [{ type: 'string' }], items: false };
    expect(check(tuple, ['a', 1])?.path).toBe('');
    const draft7 = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'array',
      items: [{ type: 'string' }],
      additionalItems: false,
    };
    expect(check(draft7, [1])?.path).toBe('/0');
    expect(
      check({ $schema: 'https://json-schema.org/draft/2019-09/schema', type: 'string' }, 1),
    ).toBeDefined();
  });

  it('lets everything pass, with a reason, when the schema itself is broken', () => {
    for (const schema of [
      { type: 'nonsense' },
      { $ref: 'https://example.com/other.json' },
      { pattern: '(' },
    ]) {
      const compiled = compileSchema(schema);
      expect(compiled.problem).toBeTypeOf('string');
      expect(compiled.check({})).toBeUndefined();
    }
  });

  it('two schemas with the same $id do not disturb each other', () => {
    expect(check({ $id: 'same', type: 'string' }, 1)).toBeDefined();
    expect(check({ $id: 'same', type: 'number' }, 1)).toBeUndefined();
  });
});
