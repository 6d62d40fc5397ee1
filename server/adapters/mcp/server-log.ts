import type { ServerLogLine } from '@/server/ports/mcp-fleet';

const MAX_LINE_CHARACTERS = 2000;

/** Removes what a terminal would obey (escape sequences, control characters), so that a log can be shown safely. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is removed here.
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '').replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '');
}

/** The newest lines that a server wrote, in a ring: a chatty server costs a bounded amount of memory. */
export class ServerLog {
  private readonly ring: ServerLogLine[] = [];
  private next = 0;
  private added = 0;
  private startedAt = 0;

  /** @param shown what may be kept of a text: secrets are taken out */
  constructor(
    private readonly capacity = 500,
    private readonly shown: (text: string) => string = (text) => text,
  ) {}

  /** Adds one line; longer ones are cut. */
  add(at: number, stream: ServerLogLine['stream'], text: string): void {
    const whole = this.shown(text);
    const cut = whole.length > MAX_LINE_CHARACTERS ? `${whole.slice(0, MAX_LINE_CHARACTERS)}…` : whole;
    const clean = plain(cut);
    const line: ServerLogLine = { at, stream, text: clean };
    if (this.ring.length < this.capacity) this.ring.push(line);
    else this.ring[this.next] = line;
    this.next = (this.next + 1) % this.capacity;
    this.added++;
  }

  /** Every kept line, oldest first. */
  lines(): ServerLogLine[] {
    if (this.ring.length < this.capacity) return [...this.ring];
    return [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)];
  }

  /** The server is started (again): `tail` leaves out what was written before. */
  started(): void {
    this.startedAt = this.added;
  }

  /** The last `count` lines of stderr since the last start as one text, for error messages. */
  tail(count: number): string {
    const fresh = Math.min(this.added - this.startedAt, this.ring.length);
    return this.lines()
      .slice(this.ring.length - fresh)
      .filter((line) => line.stream === 'stderr')
      .slice(-count)
      .map((line) => line.text)
      .join('\n');
  }
}
