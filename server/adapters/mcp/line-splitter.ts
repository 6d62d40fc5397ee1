const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Bytes kept of both ends of a message that is too long, to find its id in. */
const EDGE_BYTES = 512;

/** What a stream of bytes is cut into. */
export interface LineReceiver {
  /** One line without its line end. */
  line(text: string, bytes: number): void;
  /** A line longer than the limit was thrown away; `head` and `tail` are its two ends. */
  oversized(bytes: number, head: string, tail: string): void;
}

/**
 * Cuts a byte stream into lines. A line longer than `maxBytes` is not kept in memory: it is skipped to its end and
 * reported, so that one huge answer fails one call and not the whole connection.
 */
export class LineSplitter {
  private parts: Buffer[] = [];
  private length = 0;
  private skipped = 0;
  private head = '';
  private tail: Buffer = Buffer.alloc(0);

  constructor(
    private readonly maxBytes: number,
    private readonly receiver: LineReceiver,
  ) {}

  /** Takes the next bytes; calls the receiver for every line that they complete. */
  push(chunk: Buffer): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      this.finish(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.keep(start === 0 ? chunk : chunk.subarray(start));
  }

  private keep(part: Buffer): void {
    this.length += part.length;
    if (this.skipped === 0 && this.length <= this.maxBytes) {
      this.parts.push(part);
      return;
    }
    if (this.skipped === 0) {
      const all = Buffer.concat([...this.parts, part]);
      this.head = all.subarray(0, EDGE_BYTES).toString('utf8');
      this.tail = Buffer.from(all.subarray(-EDGE_BYTES));
      this.parts = [];
    } else {
      this.tail = Buffer.concat([this.tail, part]).subarray(-EDGE_BYTES);
    }
    this.skipped = this.length;
  }

  private finish(last: Buffer): void {
    if (this.skipped > 0 || this.length + last.length > this.maxBytes) {
      this.keep(last);
      const bytes = this.length;
      const { head } = this;
      const tail = this.tail.toString('utf8');
      this.reset();
      this.receiver.oversized(bytes, head, tail);
      return;
    }
    const whole = this.parts.length === 0 ? last : Buffer.concat([...this.parts, last]);
    this.reset();
    const end =
      whole.length > 0 && whole[whole.length - 1] === CARRIAGE_RETURN ? whole.length - 1 : whole.length;
    if (end > 0) this.receiver.line(whole.toString('utf8', 0, end), end);
  }

  private reset(): void {
    this.parts = [];
    this.length = 0;
    this.skipped = 0;
    this.head = '';
    this.tail = Buffer.alloc(0);
  }
}
