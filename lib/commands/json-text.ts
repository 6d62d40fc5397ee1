import type { Json } from '@/lib/shared/json';

/** JSON text that was read, or the place of its first error (`line` and `column` count from 1). */
export type JsonText =
  | { readonly ok: true; readonly value: Json }
  | {
      readonly ok: false;
      readonly offset: number;
      readonly line: number;
      readonly column: number;
      /** What is wrong, without the place. */
      readonly message: string;
    };

/**
 * Reads JSON. `JSON.parse` decides what is valid and gives the value; its messages name no place for many
 * errors, so on failure a scanner of our own finds the first wrong character and says what was expected.
 */
export function parseJsonText(text: string): JsonText {
  try {
    return { ok: true, value: JSON.parse(text) as Json };
  } catch {
    const fault = new Scanner(text).run() ?? { offset: text.length, message: 'this is not JSON' };
    const before = text.slice(0, fault.offset);
    const line = before.split('\n').length;
    const column = fault.offset - (before.lastIndexOf('\n') + 1) + 1;
    return { ok: false, offset: fault.offset, line, column, message: fault.message };
  }
}

interface Fault {
  offset: number;
  message: string;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_]\w*/y;
const WORDS = new Set(['true', 'false', 'null']);

/** RFC 8259 without building values, and without recursion: depth costs no stack. */
class Scanner {
  private at = 0;
  private readonly open: ('{' | '[')[] = [];

  constructor(private readonly text: string) {}

  /** The first error, or null when there is none. */
  run(): Fault | null {
    for (;;) {
      const fault = this.value();
      if (fault !== null) return fault;
      let closing = this.afterValue();
      while (closing === 'closed') closing = this.afterValue();
      if (closing === 'end') return null;
      if (closing !== 'next') return closing;
    }
  }

  /** Reads one value, or the opening of an array or object up to its first value. */
  private value(): Fault | null {
    for (;;) {
      this.space();
      const char = this.text[this.at];
      if (char === undefined) return this.fault('a value is missing at the end');
      if (char === '{' || char === '[') {
        this.open.push(char);
        this.at++;
        this.space();
        const next = this.text[this.at];
        if ((char === '{' && next === '}') || (char === '[' && next === ']')) {
          this.open.pop();
          this.at++;
          return null;
        }
        if (char === '{') {
          const fault = this.key();
          if (fault !== null) return fault;
        }
        continue;
      }
      if (char === '"') return this.string();
      if (char === "'") return this.fault('text needs double quotes, not single ones');
      return this.numberOrWord();
    }
  }

  private numberOrWord(): Fault | null {
    NUMBER.lastIndex = this.at;
    const number = NUMBER.exec(this.text);
    if (number !== null) {
      this.at += number[0].length;
      const next = this.text[this.at];
      if (next !== undefined && /[\w.+-]/.test(next))
        return this.fault('this number is not written as JSON wants it');
      return null;
    }
    WORD.lastIndex = this.at;
    const word = WORD.exec(this.text)?.[0];
    if (word !== undefined && WORDS.has(word)) {
      this.at += word.length;
      return null;
    }
    if (word !== undefined) return this.fault(`text needs double quotes: "${word.slice(0, 20)}"`);
    return this.fault(`a value is expected, not ${JSON.stringify(this.text[this.at])}`);
  }

  private key(): Fault | null {
    this.space();
    const char = this.text[this.at];
    if (char === undefined) return this.fault('the object is not closed with }');
    if (char === '}') return this.fault('there is a comma too many before }');
    if (char !== '"') return this.fault('a key in double quotes is expected');
    const fault = this.string();
    if (fault !== null) return fault;
    this.space();
    if (this.text[this.at] !== ':') return this.fault('a colon is expected after the key');
    this.at++;
    return null;
  }

  private afterValue(): 'end' | 'next' | 'closed' | Fault {
    this.space();
    const char = this.text[this.at];
    const inside = this.open.at(-1);
    if (inside === undefined) return char === undefined ? 'end' : this.fault('nothing may follow the value');
    const close = inside === '{' ? '}' : ']';
    if (char === close) {
      this.open.pop();
      this.at++;
      return 'closed';
    }
    if (char === undefined)
      return this.fault(`the ${inside === '{' ? 'object' : 'list'} is not closed with ${close}`);
    if (char !== ',') return this.fault(`a comma or ${close} is expected`);
    this.at++;
    if (inside === '{') return this.key() ?? 'next';
    this.space();
    return this.text[this.at] === ']' ? this.fault('there is a comma too many before ]') : 'next';
  }

  private string(): Fault | null {
    const start = this.at;
    this.at++;
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) {
        this.at = start;
        return this.fault('this text has no closing quote');
      }
      if (char === '"') {
        this.at++;
        return null;
      }
      if (char < ' ')
        return this.fault('a line break or control character in text is written as \\n or \\u00…');
      if (char === '\\') {
        const sequence = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(this.text.slice(this.at, this.at + 6));
        if (sequence === null)
          return this.fault('this backslash is not a JSON escape; write \\\\ for a backslash');
        this.at += sequence[0].length;
      } else {
        this.at++;
      }
    }
  }

  private space(): void {
    for (;;) {
      const char = this.text[this.at];
      if (char !== ' ' && char !== '\n' && char !== '\r' && char !== '\t') return;
      this.at++;
    }
  }

  private fault(message: string): Fault {
    return { offset: this.at, message };
  }
}
