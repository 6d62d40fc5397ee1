// biome-ignore-all lint/a11y/useSemanticElements: a virtual grid is not a table; the ARIA grid pattern names its roles
'use client';

import { memo } from 'react';
import type { Column } from '@/components/grid/grid-types';

interface GridRowProps<T> {
  row: T;
  rowKey: string;
  index: number;
  /** Distance from the top of the body, CSS pixels. */
  top: number;
  columns: readonly Column<T>[];
  template: string;
  selected: boolean;
  /** Position of the active cell in this row, or -1. */
  active: number;
  onPick: (index: number, column: number) => void;
  onOpen: (index: number) => void;
}

function Row<T>(props: GridRowProps<T>) {
  const { row, rowKey, index, top, columns, template, selected, active, onPick, onOpen } = props;
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the cells take the focus (roving tabindex)
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it handles every key
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      onClick={(event) => {
        const cell = event.target instanceof Element ? event.target.closest('[role="gridcell"]') : null;
        onPick(index, Math.max(0, Number(cell?.getAttribute('aria-colindex') ?? 1) - 1));
      }}
      onDoubleClick={() => onOpen(index)}
      className={`absolute left-0 grid h-row w-full cursor-default items-center border-b border-rule ${
        selected
          ? 'bg-selected shadow-[inset_2px_0_0_0_var(--oc-accent)]'
          : active >= 0
            ? 'bg-hover'
            : 'hover:bg-hover'
      }`}
      style={{ gridTemplateColumns: template, transform: `translateY(${top}px)` }}
    >
      {columns.map((column, at) => (
        <div
          key={column.id}
          role="gridcell"
          aria-colindex={at + 1}
          tabIndex={active === at ? 0 : -1}
          data-cell={`${rowKey}|${column.id}`}
          title={column.title?.(row)}
          className={`h-full overflow-hidden px-[1ch] leading-[23px] text-ellipsis whitespace-nowrap outline-none focus-visible:shadow-[inset_0_-2px_0_0_var(--oc-accent)] forced-colors:focus-visible:outline-2 ${
            column.align === 'end' ? 'text-right' : ''
          }`}
        >
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}

/** One row of a grid; drawn again only when its own data, place or marks change. */
export const GridRow = memo(Row) as typeof Row;
