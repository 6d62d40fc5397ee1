// biome-ignore-all lint/a11y/useSemanticElements: a virtual grid is not a table; the ARIA grid pattern names its roles

import type { Column, Sort } from '@/components/grid/grid-types';
import { Glyph } from '@/components/ui/glyph';

interface GridHeaderProps<T> {
  columns: readonly Column<T>[];
  template: string;
  sort: Sort | null;
  onSort: (column: string) => void;
}

/** Column headers; a click sorts (so does the s key, from any cell of the column). */
export function GridHeader<T>({ columns, template, sort, onSort }: GridHeaderProps<T>) {
  return (
    <div
      role="row"
      tabIndex={-1}
      aria-rowindex={1}
      className="sticky top-0 z-10 grid h-row border-b border-border bg-raised text-dim"
      style={{ gridTemplateColumns: template }}
    >
      {columns.map((column, at) => {
        const direction = sort?.column === column.id ? sort.direction : undefined;
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the s key of the grid does the same
          <div
            key={column.id}
            role="columnheader"
            tabIndex={-1}
            aria-colindex={at + 1}
            aria-sort={column.sortBy ? (direction ?? 'none') : undefined}
            onClick={column.sortBy ? () => onSort(column.id) : undefined}
            className={`flex items-center gap-[4px] overflow-hidden px-[1ch] whitespace-nowrap outline-none ${
              column.sortBy ? 'cursor-pointer hover:text-text' : ''
            } ${column.align === 'end' ? 'justify-end' : ''} ${direction ? 'text-accent' : ''}`}
          >
            {column.header}
            {direction ? <Glyph name={direction === 'ascending' ? 'up' : 'down'} /> : null}
          </div>
        );
      })}
    </div>
  );
}
