/**
 * Colour, size and type tokens: the only place where a colour is written down. `tailwind.config.ts` turns
 * them into CSS variables and Tailwind names; tokens.test.ts computes the contrast of every pair in `PAIRS`.
 * This file imports nothing, because Tailwind loads it outside of the bundler.
 */

/** Every colour name. The meaning, not the hue: a palette may give one name another hue. */
export interface Colors {
  /** The page, grids and text fields. */
  bg: string;
  /** Body of a panel. */
  panel: string;
  /** Title bars, column headers, the status line. */
  raised: string;
  /** A row under the pointer. */
  hover: string;
  /** The chosen row. */
  selected: string;
  /** Background of a cell that has just changed, for less than 300 ms. */
  flash: string;
  /** Edge of a panel, a field or a button; visible against every background above (3:1, WCAG 1.4.11). */
  border: string;
  /** Hairline between rows: decoration, nothing depends on seeing it. */
  rule: string;
  text: string;
  /** Labels and whatever is second in rank; still readable text. */
  dim: string;
  accent: string;
  /** Text on a filled accent, ok, warn or danger. */
  onFill: string;
  /** In progress now. */
  active: string;
  ok: string;
  warn: string;
  danger: string;
  /** Keys of JSON and other names inside data. */
  key: string;
  /** Strings inside data. */
  string: string;
  /** Numbers and literals inside data. */
  number: string;
}

export type ColorToken = keyof Colors;

const shared = {
  bg: '#000000',
  panel: '#0A0A0A',
  raised: '#1A1A1A',
  hover: '#161616',
  selected: '#2B1600',
  flash: '#402100',
  border: '#5A5A5A',
  rule: '#1F1F1F',
  text: '#E6E6E6',
  dim: '#9A9A9A',
  accent: '#FF6B00',
  onFill: '#000000',
  key: '#FFA95C',
  string: '#C9E6C0',
  number: '#9CD3FF',
} as const;

/** The two palettes. `colour-blind` keeps good and bad apart under protan-, deutan- and tritanopia. */
export const PALETTES = {
  standard: { ...shared, active: '#FF6B00', ok: '#00FF00', warn: '#FFA500', danger: '#FF5555' },
  'colour-blind': { ...shared, active: '#FFFFFF', ok: '#00BFFF', warn: '#FFD966', danger: '#FF5555' },
} as const satisfies Record<string, Colors>;

export type PaletteName = keyof typeof PALETTES;

/** Names of the palettes, the default first. */
export const PALETTE_NAMES = ['standard', 'colour-blind'] as const satisfies readonly PaletteName[];

/** Colours that the system puts in place when the user forces its own (Windows contrast themes). */
export const FORCED_COLORS: Colors = {
  bg: 'Canvas',
  panel: 'Canvas',
  raised: 'Canvas',
  hover: 'Canvas',
  selected: 'Canvas',
  flash: 'Canvas',
  border: 'CanvasText',
  rule: 'GrayText',
  text: 'CanvasText',
  dim: 'CanvasText',
  accent: 'Highlight',
  onFill: 'HighlightText',
  active: 'CanvasText',
  ok: 'CanvasText',
  warn: 'CanvasText',
  danger: 'CanvasText',
  key: 'CanvasText',
  string: 'CanvasText',
  number: 'CanvasText',
};

const FILLS: readonly ColorToken[] = ['accent', 'ok', 'warn', 'danger', 'active'];
const SURFACES: readonly ColorToken[] = ['bg', 'panel', 'raised', 'hover', 'selected', 'flash'];
const TEXTS: readonly ColorToken[] = ['text', 'dim', 'accent', 'active', 'ok', 'warn', 'danger'];

/** A foreground on a background, and the least ratio it must have (4.5 text, 3 edges; WCAG 1.4.3, 1.4.11). */
export interface ColorPair {
  on: ColorToken;
  color: ColorToken;
  least: number;
}

/** Every combination that the screens use. A new combination is added here before it is used. */
export const PAIRS: readonly ColorPair[] = [
  ...SURFACES.flatMap((on) => TEXTS.map((color) => ({ on, color, least: 4.5 }))),
  ...FILLS.map((on) => ({ on, color: 'onFill' as const, least: 4.5 })),
  ...(['bg', 'panel'] as const).flatMap((on) =>
    (['key', 'string', 'number'] as const).map((color) => ({ on, color, least: 4.5 })),
  ),
  { on: 'bg', color: 'border', least: 3 },
];

/** Sizes in CSS pixels (field measurements: WCAG 2.5.8 asks for 24 px targets). */
export const SIZES = { row: 24, bar: 24, font: 12, line: 16 } as const;

/** Font stack; the web font is bundled (@fontsource/jetbrains-mono), nothing is fetched from outside. */
export const FONT_MONO = [
  'JetBrains Mono',
  'ui-monospace',
  'SFMono-Regular',
  'Menlo',
  'Consolas',
  'DejaVu Sans Mono',
  'monospace',
] as const;

/** CSS variable that holds a colour: `onFill` → `--oc-on-fill`. */
export function cssVariable(token: ColorToken): string {
  return `--oc-${token.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** All colours of a palette as CSS declarations. */
export function cssVariables(colors: Colors): Record<string, string> {
  return Object.fromEntries(
    (Object.keys(colors) as ColorToken[]).map((token) => [cssVariable(token), colors[token]]),
  );
}
