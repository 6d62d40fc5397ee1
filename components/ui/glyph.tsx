import { GLYPHS, type GlyphName } from '@/lib/theme/glyphs';

/** A glyph in the colour of the text around it. Decoration: the words beside it say the same. */
export function Glyph({ name, className = '' }: { name: GlyphName; className?: string }) {
  return (
    <svg
      viewBox="0 0 12 12"
      width="10"
      height="10"
      aria-hidden="true"
      focusable="false"
      className={`inline-block shrink-0 ${className}`}
    >
      <path d={GLYPHS[name].path} fill="currentColor" />
    </svg>
  );
}
