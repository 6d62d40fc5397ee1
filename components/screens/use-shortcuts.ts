'use client';

import { useEffect, useRef } from 'react';
import { bindShortcuts, type ShortcutHandlers } from '@/lib/client/hotkeys';
import { nextPalette, useSettings } from '@/lib/client/settings-store';

/** Listens for the shortcuts of a screen while it is shown; the palette key works on every screen. */
export function useShortcuts(handlers: ShortcutHandlers): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = {
      palette: () => {
        useSettings.setState(({ palette }) => ({ palette: nextPalette(palette) }));
      },
      ...handlers,
    };
  });
  useEffect(
    () =>
      bindShortcuts(
        () => latest.current,
        () => useSettings.getState().singleKeys,
      ),
    [],
  );
}
