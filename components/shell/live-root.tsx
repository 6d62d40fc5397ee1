'use client';

import { type ReactNode, useEffect } from 'react';
import { ENTRANCES } from '@/lib/client/identity';
import { startLive, useAnnouncement } from '@/lib/client/live';
import { hydrateSettings, useSettings } from '@/lib/client/settings-store';

/** Connects the page to the live stream once, whatever screen is shown, and applies the settings. */
export function LiveRoot({ children }: { children: ReactNode }) {
  useEffect(() => {
    hydrateSettings();
    // Nobody is signed in yet: there is nothing to watch.
    return ENTRANCES.test(window.location.pathname) ? undefined : startLive();
  }, []);
  const palette = useSettings((state) => state.palette);
  useEffect(() => {
    document.documentElement.dataset.palette = palette;
  }, [palette]);
  return (
    <>
      {children}
      <Announcement />
    </>
  );
}

/** The one polite live region: always there, only its text changes. */
function Announcement() {
  const text = useAnnouncement((state) => state.text);
  return (
    <div role="status" aria-live="polite" className="sr-only">
      {text}
    </div>
  );
}
