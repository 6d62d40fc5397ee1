import { describe, expect, it } from 'vitest';
import { nextSort, sortRows } from '@/components/grid/grid-sort';
import type { Column } from '@/components/grid/grid-types';

interface Row {
  name: string;
  size: number;
}
const columns: Column<Row>[] = [
  { id: 'name', header: 'Name', chars: 4, cell: (row) => row.name, sortBy: (row) => row.name },
  { id: 'size', header: 'Size', chars: 4, cell: (row) => row.size, sortBy: (row) => row.size },
  { id: 'none', header: 'None', chars: 4, cell: () => '' },
];
const rows: Row[] = [
  { name: 'b', size: 10 },
  { name: 'c', size: 9 },
  { name: 'a', size: 10 },
];
const names = (sorted: readonly Row[]) => sorted.map((row) => row.name).join('');

describe('sortRows', () => {
  it('sorts numbers as numbers and keeps equal rows in order', () => {
    expect(names(sortRows(rows, columns, { column: 'size', direction: 'ascending' }))).toBe('cba');
    expect(names(sortRows(rows, columns, { column: 'size', direction: 'descending' }))).toBe('bac');
    expect(names(sortRows(rows, columns, { column: 'name', direction: 'ascending' }))).toBe('abc');
  });
  it('leaves the rows alone without a sort, or with one that no column has', () => {
    expect(sortRows(rows, columns, null)).toBe(rows);
    expect(sortRows(rows, columns, { column: 'none', direction: 'ascending' })).toBe(rows);
  });
});

describe('nextSort', () => {
  it('goes up, down, off', () => {
    const up = nextSort(null, 'a');
    const down = nextSort(up, 'a');
    expect([up?.direction, down?.direction, nextSort(down, 'a')]).toEqual(['ascending', 'descending', null]);
    expect(nextSort(down, 'b')).toEqual({ column: 'b', direction: 'ascending' });
  });
});
