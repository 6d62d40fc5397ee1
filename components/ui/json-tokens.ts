/** A piece of JSON text with what it is. */
export interface JsonToken {
  kind: 'key' | 'string' | 'number' | 'plain';
  text: string;
}

const PIECE = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/g;

/** Cuts JSON text into pieces for colouring; put together they are the text again. */
export function tokenize(text: string): JsonToken[] {
  const tokens: JsonToken[] = [];
  let at = 0;
  const plain = (end: number) => {
    if (end > at) tokens.push({ kind: 'plain', text: text.slice(at, end) });
    at = end;
  };
  for (const match of text.matchAll(PIECE)) {
    plain(match.index);
    const [, quoted, colon] = match;
    const end = match.index + (quoted ?? match[0]).length;
    tokens.push({
      kind: quoted === undefined ? 'number' : colon === undefined ? 'string' : 'key',
      text: text.slice(at, end),
    });
    at = end;
  }
  plain(text.length);
  return tokens;
}
