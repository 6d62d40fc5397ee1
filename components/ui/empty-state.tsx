import type { ReactNode } from 'react';

/** What a panel shows when there is nothing: why, and what to do next. */
export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="flex h-full flex-col items-start gap-[12px] overflow-auto p-[16px]">
      <h3 className="m-0 font-bold text-text">{title}</h3>
      {children}
    </div>
  );
}
