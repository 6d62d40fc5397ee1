import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteWord, tokenize, tokensOfArgv } from '@/lib/commands/tokens';

function texts(line: string): string[] {
  const cut = tokenize(line);
  if (!cut.ok) throw new Error(cut.fault.code);
  return cut.tokens.map((token) => token.text);
}

describe('tokenize', () => {
  it.each([
    ['run list --status failed', ['run', 'list', '--status', 'failed']],
    ['  a\t b  ', ['a', 'b']],
    ['', []],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`"a \\"b\\" \\\\ \\n"`, ['a "b" \\ \\n']],
    [`'a \\ b'`, ['a \\ b']],
    ["''", ['']],
    [`it"'"s`, ["it's"]],
    ['c:\\temp\\x', ['c:\\temp\\x']],
    ['--input {"path": "a b.txt"} next', ['--input', '{"path": "a b.txt"}', 'next']],
    ['--input={"a": [1, 2]}', ['--input={"a": [1, 2]}']],
    ['[1, {"a": "]"}]', ['[1, {"a": "]"}]']],
    ['{"a": "\\"}"} x', ['{"a": "\\"}"}', 'x']],
    ['file{1}', ['file{1}']],
  ])('cuts %s', (line, words) => {
    expect(texts(line)).toEqual(words);
  });

  it('says where an open quote or bracket begins', () => {
    expect(tokenize('run "list')).toEqual({ ok: false, fault: { code: 'UNCLOSED_QUOTE', start: 4, end: 9 } });
    expect(tokenize('x {"a": 1')).toEqual({
      ok: false,
      fault: { code: 'UNCLOSED_BRACKET', start: 2, end: 9 },
    });
  });

  it('keeps the place of every word and whether it was quoted', () => {
    expect(tokenize(`a '--b'`)).toEqual({
      ok: true,
      tokens: [
        { text: 'a', start: 0, end: 1, literal: false },
        { text: '--b', start: 2, end: 7, literal: true },
      ],
    });
  });

  it('reads back any words that quoteWord wrote', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom("'", '"', '\\', ' ', '{', '[', '}', ']', '-', '=', 'a') }),
      fc.json(),
      fc.json().map((json) => `--input=${json}`),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(texts(words.map(quoteWord).join(' '))).toEqual(words);
      }),
      { numRuns: 500 },
    );
  });

  it('gives argv words the places they have in the line shown', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (argv) => {
        const { line, tokens } = tokensOfArgv(argv);
        expect(texts(line)).toEqual(argv);
        expect(tokens.map((token) => line.slice(token.start, token.end))).toEqual(argv.map(quoteWord));
      }),
    );
  });

  it('never throws and never loses its place on any line', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("'", '"', '\\', ' ', '{', ']', 'a', '=') }), (line) => {
        const cut = tokenize(line);
        if (!cut.ok) return;
        let last = 0;
        for (const token of cut.tokens) {
          expect(token.start).toBeGreaterThanOrEqual(last);
          expect(token.end).toBeGreaterThan(token.start);
          last = token.end;
        }
        expect(last).toBeLessThanOrEqual(line.length);
      }),
    );
  });
});
