'use client';

import { Button } from '@/components/ui/button';
import { EmptyState } from '@/components/ui/empty-state';
import { copyText } from '@/lib/client/clipboard';
import { STARTER_COMMAND } from '@/lib/client/starter';

interface RunsEmptyProps {
  onStart: () => void;
  starting: boolean;
}

/** The list before the first run: says what a run is and how to get one, in two ways. */
export function RunsEmpty({ onStart, starting }: RunsEmptyProps) {
  return (
    <EmptyState title="No runs yet">
      <p className="m-0 max-w-[76ch] text-dim">
        A run carries a workflow out step by step; every step is written down before the next begins, so a
        crash loses nothing. The starter workflow reads a document with the filesystem server and stores what
        it finds with the memory server. Both are bundled.
      </p>
      <Button kind="filled" chord="n" onClick={onStart} disabled={starting}>
        {starting ? 'Starting …' : 'Run starter workflow'}
      </Button>
      <p className="m-0 flex items-center gap-[8px] text-dim">
        The same from a shell:
        <Button
          kind="bare"
          onClick={() => copyText(STARTER_COMMAND, 'Command')}
          aria-label="Copy the command"
        >
          copy
        </Button>
      </p>
      <pre className="m-0 max-w-full border border-border bg-bg px-[1ch] py-[6px] font-mono break-words whitespace-pre-wrap text-text">
        <code>{STARTER_COMMAND}</code>
      </pre>
    </EmptyState>
  );
}
