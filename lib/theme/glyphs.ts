/**
 * The glyph of a status, drawn and typed. The drawing is used on screen: whether a font has U+23F8 or
 * shows it as an emoji differs from machine to machine, a path does not. The character is for text output.
 */
export interface Glyph {
  /** Text form, for terminals and copies. */
  char: string;
  /** SVG path on a 12 × 12 grid, filled with the current colour. */
  path: string;
}

export const GLYPHS = {
  play: { char: '▶', path: 'M3 1.5 10.5 6 3 10.5z' },
  check: { char: '✓', path: 'M1.2 6.4 2.6 5 4.8 7.2 9.6 2.2 11 3.6 4.8 10z' },
  cross: {
    char: '✕',
    path: 'M1.6 3 3 1.6l3 3 3-3L10.4 3l-3 3 3 3L9 10.4l-3-3-3 3L1.6 9l3-3z',
  },
  triangle: { char: '▲', path: 'M6 1.2 11.2 10.6H.8z' },
  pause: { char: '⏸', path: 'M2.4 1.8h2.6v8.4H2.4zM7 1.8h2.6v8.4H7z' },
  square: { char: '■', path: 'M2 2h8v8H2z' },
  /** A broken ring. */
  ring: {
    char: '◌',
    path: 'M5 .9h2v1.6H5zM5 9.5h2v1.6H5zM.9 5h1.6v2H.9zM9.5 5h1.6v2H9.5zM1.7 2.9 2.9 1.7 4 2.9 2.9 4zM8 2.9 9.1 1.7 10.3 2.9 9.1 4zM1.7 9.1 2.9 8 4 9.1 2.9 10.3zM8 9.1 9.1 8 10.3 9.1 9.1 10.3z',
  },
  /** A square with its middle cut out: left out, never run. */
  hollow: { char: '□', path: 'M2 2h8v8H2zM3.5 3.5v5h5v-5z' },
  up: { char: '▲', path: 'M6 3 10 8.5H2z' },
  down: { char: '▼', path: 'M6 9 10 3.5H2z' },
} as const satisfies Record<string, Glyph>;

export type GlyphName = keyof typeof GLYPHS;
