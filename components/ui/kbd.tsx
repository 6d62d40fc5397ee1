import { chordLabel } from '@/lib/keyboard/matcher';

/** A key cap. `chord` is a chord of lib/keyboard, e.g. `ctrl+f`. */
export function Kbd({ chord }: { chord: string }) {
  return (
    <kbd className="inline-block min-w-[18px] border border-border px-[4px] text-center font-mono text-[11px] leading-[14px] text-text">
      {chordLabel(chord)}
    </kbd>
  );
}
