/** Linear value of one 8-bit sRGB channel (WCAG 2.2, "relative luminance"). */
function linear(channel: number): number {
  const value = channel / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/**
 * Relative luminance of `#RRGGBB`, from 0 (black) to 1 (white).
 * @throws RangeError for anything but six hexadecimal digits after `#`.
 */
export function luminance(hex: string): number {
  if (!/^#[0-9a-fA-F]{6}$/.test(hex)) throw new RangeError(`Not a #RRGGBB colour: ${hex}`);
  const at = (start: number) => Number.parseInt(hex.slice(start, start + 2), 16);
  return 0.2126 * linear(at(1)) + 0.7152 * linear(at(3)) + 0.0722 * linear(at(5));
}

/** WCAG contrast ratio of two `#RRGGBB` colours, from 1 to 21; the order does not matter. */
export function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}
