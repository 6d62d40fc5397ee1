import { GLYPHS } from '@/lib/theme/glyphs';
import type { StatusLook } from '@/lib/theme/status';

/** Colours by meaning; the names are the tokens of the theme. */
export type Tone = StatusLook['token'] | 'bold';

const ANSI: Record<Tone, string> = {
  active: '38;5;208',
  ok: '92',
  warn: '93',
  danger: '91',
  text: '0',
  dim: '2',
  bold: '1',
};

/** Puts colour around text, or leaves it alone. */
export type Paint = (tone: Tone, text: string) => string;

/** Colours for a terminal that shows them. */
export const paintAnsi: Paint = (tone, text) => `\u001b[${ANSI[tone]}m${text}\u001b[0m`;

/** No colours: pipes, files, NO_COLOR. */
export const paintNothing: Paint = (_tone, text) => text;

/**
 * Text from elsewhere made safe to print: control characters (a server could send escape sequences that
 * rewrite the screen or the window title) and direction overrides are shown as code points.
 */
export function clean(text: string): string {
  return text.replace(CONTROL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same for text of several lines: line breaks and tabs stay. */
export function cleanLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.split('\t').map(clean).join('\t'))
    .join('\n');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** `✓ OK`: the mark of a status, as everywhere in OpenConductor. */
export function mark(look: StatusLook, paint: Paint): string {
  return paint(look.token, `${GLYPHS[look.glyph].char} ${look.code.padEnd(4)}`);
}

/** A length of time for people: `12 ms`, `1.24 s`, `3 min 05 s`, `2 h 04 min`. */
export function timing(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
