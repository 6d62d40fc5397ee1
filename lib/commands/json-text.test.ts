import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonText } from '@/lib/commands/json-text';

function native(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('parseJsonText', () => {
  it.each([
    ['{"path": "a.txt",}', 1, 18, 'there is a comma too many before }'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'a comma or } is expected'],
    ['{path:"a"}', 1, 2, 'a key in double quotes is expected'],
    ["{'a':1}", 1, 2, 'a key in double quotes is expected'],
    ['{"a" 1}', 1, 6, 'a colon is expected after the key'],
    ['{"a":1', 1, 7, 'the object is not closed with }'],
    ['[1,2', 1, 5, 'the list is not closed with ]'],
    ['[1,]', 1, 4, 'there is a comma too many before ]'],
    ['{"a":}', 1, 6, 'a value is expected, not "}"'],
    ['{"a":', 1, 6, 'a value is missing at the end'],
    ['', 1, 1, 'a value is missing at the end'],
    ['"abc', 1, 1, 'this text has no closing quote'],
    ['hello', 1, 1, 'text needs double quotes: "hello"'],
    ["'hello'", 1, 1, 'text needs double quotes, not single ones'],
    ['01', 1, 2, 'this number is not written as JSON wants it'],
    ['1 2', 1, 3, 'nothing may follow the value'],
    ['"C:\\temp\\x"', 1, 9, 'this backslash is not a JSON escape; write \\\\ for a backslash'],
    ['"a\nb"', 1, 3, 'a line break or control character in text is written as \\n or \\u00…'],
  ])('%j: line %i, column %i: %s', (text, line, column, message) => {
    expect(parseJsonText(text)).toMatchObject({ ok: false, line, column, message });
  });

  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJsonText(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
    );
  });

  it('finds a place inside every text that JSON.parse refuses, and only in those', () => {
    const damaged = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.nat(3),
        fc.constantFrom('', ',', '}', ']', '"', ':', '-', '\\', '1', 'x', '\u0001'),
      )
      .map(([text, at, cut, put]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + put + text.slice(place + cut);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        const read = parseJsonText(text);
        expect(read.ok).toBe(native(text));
        if (read.ok) return;
        expect(read.message).not.toBe('this is not JSON');
        expect(read.offset).toBeLessThanOrEqual(text.length);
        const lines = text.split('\n');
        const offset =
          lines.slice(0, read.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + read.column - 1;
        expect(offset).toBe(read.offset);
      }),
      { numRuns: 2000 },
    );
  });

  it('does not care how deep a broken text is', () => {
    const text = '['.repeat(200_000);
    expect(parseJsonText(text)).toMatchObject({ ok: false, offset: 200_000 });
  });
});
