import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

/** One line of the counting server. */
export interface CounterLine {
  what: 'start' | 'done' | 'fail';
  tool: string;
  key: string;
  input: Record<string, unknown>;
  at: number;
  pid: number;
  /** The engine process that made the call. */
  caller: number;
}

/** What the counting servers have written so far, by idempotency key. */
export class CounterLog {
  private offset = 0;
  private rest = '';
  private readonly byKey = new Map<string, CounterLine[]>();

  constructor(readonly file: string) {}

  /** Reads what is new. */
  read(): void {
    if (!existsSync(this.file)) return;
    const fd = openSync(this.file, 'r');
    try {
      const buffer = Buffer.alloc(fstatSync(fd).size - this.offset);
      if (buffer.length === 0) return;
      const size = readSync(fd, buffer, 0, buffer.length, this.offset);
      this.offset += size;
      const lines = (this.rest + buffer.toString('utf8', 0, size)).split('\n');
      this.rest = lines.pop() ?? '';
      for (const line of lines) this.add(JSON.parse(line) as CounterLine);
    } finally {
      closeSync(fd);
    }
  }

  of(key: string): readonly CounterLine[] {
    return this.byKey.get(key) ?? [];
  }

  keys(): Iterable<string> {
    return this.byKey.keys();
  }

  /** Forgets what was checked. */
  clear(): void {
    this.byKey.clear();
  }

  private add(line: CounterLine): void {
    const list = this.byKey.get(line.key);
    if (list) list.push(line);
    else this.byKey.set(line.key, [line]);
  }
}
