'use client';

import { Button } from '@/components/ui/button';

/** What is shown when a screen itself breaks: the data on the server is untouched. */
export default function ScreenError({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  return (
    <div role="alert" className="flex h-full flex-col items-start gap-[12px] p-[16px]">
      <h1 className="m-0 text-base font-bold text-danger">This screen broke</h1>
      <p className="m-0 text-text">{error.message}</p>
      <p className="m-0 text-dim">
        Runs go on without it.{error.digest === undefined ? '' : ` Reference: ${error.digest}.`}
      </p>
      <Button onClick={reset}>Draw it again</Button>
    </div>
  );
}
