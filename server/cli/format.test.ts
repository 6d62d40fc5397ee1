import { describe, expect, it } from 'vitest';
import { markPlace } from '@/server/cli/cli-error';
import { clean, cleanLines, paintNothing, timing } from '@/server/cli/style';
import { type Column, csvText, tableLines } from '@/server/cli/table';

describe('timing', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.00 s'],
    [59_994, '59.99 s'],
    [59_999, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [7_440_000, '2 h 04 min'],
  ])('%i → %s', (ms, text) => {
    expect(timing(ms)).toBe(text);
  });
});

describe('clean', () => {
  it('shows what would drive the terminal, and keeps the rest', () => {
    expect(clean('a\u001b]0;x\u0007\u009bé ✓\u202e')).toBe('a\\u001b]0;x\\u0007\\u009bé ✓\\u202e');
    expect(cleanLines('a\tb\nc\r')).toBe('a\tb\nc\\u000d');
  });
});

const COLUMNS: readonly Column<{ a: string; n: number | null }>[] = [
  { title: 'NAME', value: (row) => row.a },
  { title: 'N', value: (row) => row.n, right: true },
  { title: 'NOTE', value: (row) => `${row.a}!`, show: (row) => `${row.a}! `.repeat(3).trim() },
];

describe('tables', () => {
  const rows = [
    { a: 'x', n: 10 },
    { a: 'longer', n: null },
  ];

  it('aligns columns', () => {
    expect(tableLines(rows, COLUMNS, paintNothing, 0)).toEqual([
      'NAME     N  NOTE',
      'x       10  x! x! x!',
      'longer   –  longer! longer! longer!',
    ]);
  });

  it('cuts the last column to the width, but not to nothing', () => {
    expect(tableLines(rows, COLUMNS, paintNothing, 28)[2]).toBe('longer   –  longer! longer!…');
    expect(tableLines(rows, COLUMNS, paintNothing, 5)[2]).toBe('longer   –  longer! lon…');
  });

  it('writes CSV with raw values and quotes only where needed', () => {
    expect(csvText([{ a: 'x,"y"\n', n: null }], COLUMNS)).toBe(
      'name,n,note\r\n"x,""y""\n",,"x,""y""\n!"\r\n',
    );
  });
});

describe('markPlace', () => {
  it('marks the place under the line', () => {
    expect(markPlace('run lst', 4, 7)).toEqual(['run lst', '    ^^^']);
    expect(markPlace('run', 3, 3)).toEqual(['run', '   ^']);
  });

  it('keeps the mark under the place in long lines', () => {
    const line = `${'a'.repeat(300)}X${'b'.repeat(300)}`;
    const [shown = '', mark = ''] = markPlace(line, 300, 301);
    expect(shown[mark.indexOf('^')]).toBe('X');
    expect(shown.length).toBeLessThan(100);
  });
});
