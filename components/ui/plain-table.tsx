import type { ReactNode } from 'react';

interface PlainTableProps {
  label: string;
  head: readonly string[];
  rows: readonly { key: string; cells: readonly ReactNode[] }[];
  /** Said instead of rows. */
  empty: string;
}

/** Rows that are read and acted on rather than watched: tens of them, not thousands. */
export function PlainTable({ label, head, rows, empty }: PlainTableProps) {
  if (rows.length === 0) return <p className="m-0 p-[8px] text-dim">{empty}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by key
    <section aria-label={label} tabIndex={0} className="min-h-0 overflow-auto">
      <table className="w-full border-collapse text-left">
        <caption className="sr-only">{label}</caption>
        <thead>
          <tr>
            {head.map((title) => (
              <th
                key={title}
                scope="col"
                className="sticky top-0 h-row border-b border-border bg-raised px-[8px] font-bold whitespace-nowrap text-dim"
              >
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key} className="border-b border-border hover:bg-raised">
              {cells.map((cell, at) => (
                <td key={head[at]} className="h-row max-w-[60ch] px-[8px] py-[2px] align-top text-text">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
