import { Glyph } from '@/components/ui/glyph';
import { TEXT_TONE } from '@/components/ui/tones';
import { useFlash } from '@/components/ui/use-flash';
import type { StatusLook } from '@/lib/theme/status';

/** A status: glyph, code and colour; screen readers get the word. It flashes when the status changes. */
export function StatusBadge({ look }: { look: StatusLook }) {
  const flash = useFlash(look.code);
  return (
    <span
      title={look.label}
      className={`inline-flex items-center gap-[6px] px-[2px] ${TEXT_TONE[look.token]} ${flash ? 'oc-flash' : ''}`}
    >
      <Glyph name={look.glyph} />
      <span aria-hidden="true">{look.code}</span>
      <span className="sr-only">{look.label}</span>
    </span>
  );
}
