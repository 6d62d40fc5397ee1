import { Button } from '@/components/ui/button';
import { Glyph } from '@/components/ui/glyph';
import type { AppError } from '@/lib/protocol/errors';

/** What a panel shows when it cannot show its data: the code, what happened, and what to do now. */
export function ErrorState({ error, onRetry }: { error: AppError; onRetry: () => void }) {
  return (
    <div role="alert" className="flex h-full flex-col items-start gap-[8px] overflow-auto p-[16px]">
      <p className="m-0 flex items-center gap-[6px] font-bold text-danger">
        <Glyph name="cross" /> {error.code}
      </p>
      <p className="m-0 max-w-[80ch] text-text">{error.message}</p>
      <p className="m-0 max-w-[80ch] text-dim">{error.entry.next}</p>
      <Button onClick={onRetry} chord="r">
        Try again
      </Button>
    </div>
  );
}
