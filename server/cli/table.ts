import { csvField } from '@/lib/shared/csv';
import { clean, cleanLines, type Paint, type Tone } from '@/server/cli/style';

/** One column: what it holds for programs (`value`), and how people see it (`show`). */
export interface Column<T> {
  title: string;
  value: (row: T) => string | number | null;
  show?: (row: T) => string;
  tone?: (row: T) => Tone | undefined;
  right?: boolean;
}

/** Rows as aligned columns under a heading. `width` cuts the last column to the screen; 0 never cuts. */
export function tableLines<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  paint: Paint,
  width: number,
): string[] {
  const cells = rows.map((row) => columns.map((column) => clean(shown(column, row))));
  const widths = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((line) => line[i]?.length ?? 0)),
  );
  const before = widths.slice(0, -1).reduce((sum, cell) => sum + cell + 2, 0);
  const lastWidth = width > 0 ? Math.max(12, width - before) : Number.POSITIVE_INFINITY;
  const align = (text: string, i: number): string => {
    if (columns[i]?.right) return text.padStart(widths[i] ?? 0);
    if (i < columns.length - 1) return text.padEnd(widths[i] ?? 0);
    return text.length > lastWidth ? `${text.slice(0, lastWidth - 1)}…` : text;
  };
  const heading = columns
    .map((column, i) => align(column.title, i))
    .join('  ')
    .trimEnd();
  const lines = cells.map((line, at) =>
    line
      .map((cell, i) => {
        const row = rows[at];
        const tone = row === undefined ? undefined : columns[i]?.tone?.(row);
        return tone === undefined ? align(cell, i) : paint(tone, align(cell, i));
      })
      .join('  ')
      .trimEnd(),
  );
  return [paint('dim', heading), ...lines];
}

/** Rows as CSV (RFC 4180): titles in lower case, raw values, CR LF. */
export function csvText<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const lines = [columns.map((column) => column.title.toLowerCase().replaceAll(' ', '_'))];
  for (const row of rows) lines.push(columns.map((column) => String(column.value(row) ?? '')));
  return lines.map((line) => `${line.map((field) => csvField(cleanLines(field))).join(',')}\r\n`).join('');
}

function shown<T>(column: Column<T>, row: T): string {
  if (column.show !== undefined) return column.show(row);
  const value = column.value(row);
  return value === null ? '–' : String(value);
}
