import { create } from 'zustand';
import { createJSONStorage, persist } from 'zustand/middleware';
import { PALETTE_NAMES, type PaletteName } from '@/lib/theme/tokens';

export interface Settings {
  palette: PaletteName;
  /** False switches off every key that is one bare character (WCAG 2.1.4). */
  singleKeys: boolean;
  /** Share of the width that the list of runs has, per cent. */
  split: number;
}

/** What a person has set up in this browser; kept in local storage. Read it after `hydrateSettings`. */
export const useSettings = create<Settings>()(
  persist((): Settings => ({ palette: 'standard', singleKeys: true, split: 50 }), {
    name: 'openconductor.settings',
    version: 1,
    storage: createJSONStorage(() => localStorage),
    // The server draws the page with the defaults; what was kept is put in after that.
    skipHydration: true,
  }),
);

/** Reads what was kept. */
export function hydrateSettings(): void {
  void useSettings.persist.rehydrate();
}

/** The next palette. */
export function nextPalette(current: PaletteName): PaletteName {
  return PALETTE_NAMES[(PALETTE_NAMES.indexOf(current) + 1) % PALETTE_NAMES.length] ?? 'standard';
}
