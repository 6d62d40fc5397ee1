import { describe, expect, it } from 'vitest';
import { contrast, luminance } from '@/lib/theme/contrast';
import { cssVariable, cssVariables, FORCED_COLORS, PAIRS, PALETTE_NAMES, PALETTES } from '@/lib/theme/tokens';

describe('contrast', () => {
  it('gives the ratios that WCAG publishes', () => {
    expect(contrast('#000000', '#FFFFFF')).toBeCloseTo(21, 5);
    expect(contrast('#FFFFFF', '#767676')).toBeCloseTo(4.54, 2);
    expect(contrast('#FF6B00', '#000000')).toBeCloseTo(7.36, 2);
    expect(contrast('#777777', '#777777')).toBe(1);
  });
  it('refuses what is not a colour', () => {
    expect(() => luminance('orange')).toThrow(RangeError);
    expect(() => luminance('#FFF')).toThrow(RangeError);
  });
});

describe.each(PALETTE_NAMES)('palette %s', (name) => {
  const colors = PALETTES[name];
  it.each(PAIRS)('$color on $on has at least $least : 1', ({ color, on, least }) => {
    expect(contrast(colors[color], colors[on])).toBeGreaterThanOrEqual(least);
  });
  it('uses no grey for text below the floor', () => {
    expect(luminance(colors.dim)).toBeGreaterThanOrEqual(luminance('#828282'));
    expect(luminance(colors.border)).toBeGreaterThanOrEqual(luminance('#5A5A5A'));
  });
  it('gives good, bad, warning and active a colour of their own', () => {
    const used = new Set([colors.ok, colors.danger, colors.warn, colors.active]);
    expect(used.size).toBe(4);
  });
});

describe('CSS variables', () => {
  it('are named after the token', () => {
    expect(cssVariable('onFill')).toBe('--oc-on-fill');
    expect(cssVariables(PALETTES.standard)['--oc-accent']).toBe('#FF6B00');
  });
  it('cover the same names in every palette and under forced colours', () => {
    const names = Object.keys(PALETTES.standard).sort();
    expect(Object.keys(PALETTES['colour-blind']).sort()).toEqual(names);
    expect(Object.keys(FORCED_COLORS).sort()).toEqual(names);
  });
});
