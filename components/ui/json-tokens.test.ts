import { describe, expect, it } from 'vitest';
import { tokenize } from '@/components/ui/json-tokens';

describe('tokenize', () => {
  it('tells keys, strings, and numbers apart', () => {
    const tokens = tokenize('{"a": "x:\\"1\\"", "b": [-1.5e3, true, null]}');
    const of = (kind: string) => tokens.filter((token) => token.kind === kind).map((token) => token.text);
    expect(of('key')).toEqual(['"a"', '"b"']);
    expect(of('string')).toEqual(['"x:\\"1\\""']);
    expect(of('number')).toEqual(['-1.5e3', 'true', 'null']);
  });
  it.each(['', '7', '"open', '{"a": {"b": "c\\n"}}', '[1,2,"3",{}]'])('loses nothing of %j', (text) => {
    expect(
      tokenize(text)
        .map((token) => token.text)
        .join(''),
    ).toBe(text);
  });
});
