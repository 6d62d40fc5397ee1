'use client';

import { type FormEvent, type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { Button } from '@/components/ui/button';
import { Glyph } from '@/components/ui/glyph';
import { type AppError, toAppError } from '@/lib/protocol/errors';

interface FrameProps {
  code: string;
  title: string;
  /** Word of the button. */
  action: string;
  /** Carried out when the form is sent; what it throws is shown. */
  onSend: () => Promise<void>;
  /** Further buttons. */
  more?: ReactNode;
  children: ReactNode;
}

/** True once React answers for the form, not while the page is only the server's HTML. */
function useLive(): boolean {
  return useSyncExternalStore(
    () => () => undefined,
    () => true,
    () => false,
  );
}

/** A page before the screen: one form in the terminal's look. */
export function Frame({ code, title, action, onSend, more, children }: FrameProps) {
  const [error, setError] = useState<AppError | null>(null);
  const [busy, setBusy] = useState(false);
  const live = useLive();
  const form = useRef<HTMLFormElement>(null);
  // The browser passed the field over that was to have the focus, since it was disabled then.
  useEffect(() => {
    if (live && document.activeElement === document.body)
      form.current?.querySelector<HTMLElement>('[autofocus]')?.focus();
  }, [live]);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await onSend();
    } catch (cause) {
      setError(toAppError(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="flex h-full flex-col bg-bg">
      <header className="flex h-bar shrink-0 items-center bg-raised">
        <span className="flex h-full items-center bg-accent px-[10px] font-bold tracking-[0.06em] text-on-fill forced-color-adjust-none">
          OPENCONDUCTOR
        </span>
      </header>
      <main className="flex min-h-0 flex-1 items-start justify-center overflow-auto p-[32px]">
        <form
          ref={form}
          onSubmit={(event) => void send(event)}
          aria-label={title}
          className="flex w-[46ch] max-w-full flex-col border border-border bg-panel"
        >
          <div className="flex h-bar items-center gap-[8px] border-b border-border bg-raised px-[8px]">
            <span className="font-bold text-accent">{code}</span>
            <h1 className="m-0 text-base font-bold text-text">{title}</h1>
          </div>
          {/* What is typed before the form is live would be lost without a word, and Enter would reload the page. */}
          <fieldset disabled={!live} className="m-0 flex min-w-0 flex-col gap-[12px] border-0 p-[16px]">
            {children}
            {error === null ? null : (
              <p role="alert" className="m-0 flex items-start gap-[6px] text-danger">
                <Glyph name="cross" /> <span>{error.message}</span>
              </p>
            )}
            <div className="flex items-center gap-[8px]">
              <Button kind="filled" type="submit" disabled={busy}>
                {action}
              </Button>
              {more}
            </div>
          </fieldset>
        </form>
      </main>
    </div>
  );
}
