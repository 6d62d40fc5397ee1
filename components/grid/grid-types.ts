import type { ReactNode } from 'react';

/** A column of a grid. Widths are in characters: the font is monospaced. */
export interface Column<T> {
  id: string;
  header: string;
  /** Least width in characters, padding included. */
  chars: number;
  /** Share of the room that is left over; 0 or absent: the column keeps its width. */
  grow?: number;
  align?: 'end';
  /** Sort key; a column without one cannot be sorted by. */
  sortBy?: (row: T) => string | number;
  cell: (row: T) => ReactNode;
  /** Full text of a cell that may be cut off. */
  title?: (row: T) => string;
}

export interface Sort {
  column: string;
  direction: 'ascending' | 'descending';
}
