import type { Column, Sort } from '@/components/grid/grid-types';

/** Rows in the order of a column; rows that are equal keep their order. Without a sort: the same array. */
export function sortRows<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  sort: Sort | null,
): readonly T[] {
  const by = sort && columns.find((column) => column.id === sort.column)?.sortBy;
  if (!sort || !by) return rows;
  const sign = sort.direction === 'ascending' ? 1 : -1;
  return rows.toSorted((a, b) => {
    const x = by(a);
    const y = by(b);
    return x === y ? 0 : x < y ? -sign : sign;
  });
}

/** The next sort when a column is chosen: ascending, descending, then back to the natural order. */
export function nextSort(sort: Sort | null, column: string): Sort | null {
  if (sort?.column !== column) return { column, direction: 'ascending' };
  return sort.direction === 'ascending' ? { column, direction: 'descending' } : null;
}
