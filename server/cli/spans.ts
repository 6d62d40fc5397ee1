import { clean, type Paint, type Tone } from '@/server/cli/style';

/** A piece of a line: text, with a colour or without. */
export type Span = string | readonly [Tone, string];

/** A line of pieces, made safe, coloured, and cut to the width; 0 never cuts. */
export function paintLine(spans: readonly Span[], paint: Paint, width: number): string {
  let left = width > 0 ? width : Number.POSITIVE_INFINITY;
  let line = '';
  for (const span of spans) {
    const [tone, raw] = typeof span === 'string' ? [undefined, span] : span;
    const safe = clean(raw);
    const text = safe.length > left ? `${safe.slice(0, Math.max(0, left - 1))}…` : safe;
    line += tone === undefined || text === '' ? text : paint(tone, text);
    left -= text.length;
    if (left <= 0) break;
  }
  return line;
}

/** Text in a cell of this width: cut, or filled up on the right (on the left for numbers). */
export function cell(text: string, width: number, right = false): string {
  if (text.length > width) return `${text.slice(0, Math.max(0, width - 1))}…`;
  return right ? text.padStart(width) : text.padEnd(width);
}
