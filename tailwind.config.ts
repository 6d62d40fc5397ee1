import type { Config } from 'tailwindcss';
import plugin from 'tailwindcss/plugin';
import {
  type ColorToken,
  cssVariable,
  cssVariables,
  FONT_MONO,
  FORCED_COLORS,
  PALETTES,
  SIZES,
} from './lib/theme/tokens';

const px = (size: number) => `${size}px`;
const colors = Object.fromEntries(
  (Object.keys(PALETTES.standard) as ColorToken[]).map((token) => [
    cssVariable(token).replace('--oc-', ''),
    `var(${cssVariable(token)})`,
  ]),
);

/** Everything comes from lib/theme/tokens.ts: names here, values as CSS variables that a palette can change. */
export default {
  content: ['./app/**/*.{ts,tsx}', './components/**/*.{ts,tsx}'],
  theme: {
    colors: { ...colors, transparent: 'transparent', current: 'currentColor' },
    fontFamily: { mono: FONT_MONO.map((name) => (name.includes(' ') ? `"${name}"` : name)) },
    extend: {
      fontSize: { base: [px(SIZES.font), px(SIZES.line)] },
      spacing: { row: px(SIZES.row), bar: px(SIZES.bar) },
    },
  },
  plugins: [
    plugin(({ addBase }) => {
      addBase({
        ':root': cssVariables(PALETTES.standard),
        ':root[data-palette="colour-blind"]': cssVariables(PALETTES['colour-blind']),
        '@media (forced-colors: active)': { ':root, :root[data-palette]': cssVariables(FORCED_COLORS) },
      });
    }),
  ],
} satisfies Config;
