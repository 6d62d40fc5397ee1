import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { cleanUpLater } from '@/bench/support/cleanup';
import { SELF } from '@/bench/support/root';

interface Answer {
  id: number;
  result?: unknown;
  error?: string;
}

/**
 * A process of the bench, asked over its stdin and answering over its stdout, a line of JSON each way. It leads a
 * process group of its own, so that what it starts ends with it.
 */
export class BenchChild {
  private readonly waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  private readonly process: ChildProcess;
  private readonly ended: Promise<void>;
  private readonly forget: () => Promise<void>;
  private lastId = 0;
  private log = '';

  /** @param role which set of methods it has; @param nodeFlags flags for Node, before the file */
  constructor(
    readonly role: string,
    nodeFlags: readonly string[] = [],
  ) {
    const args = ['--enable-source-maps', '--expose-gc', ...nodeFlags, SELF, 'engine-child', role];
    this.process = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.ended = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => {
        for (const { reject } of this.waiting.values()) {
          reject(new Error(`The process "${role}" ended (${code ?? signal}).\n${this.log}`.trim()));
        }
        this.waiting.clear();
        resolve();
      });
    });
    this.process.stderr?.on('data', (chunk: Buffer) => {
      this.log = (this.log + chunk.toString()).slice(-4_000);
    });
    // Writing to a process that has just ended fails; its end is reported to whoever waits for an answer.
    this.process.stdin?.on('error', () => undefined);
    createInterface({ input: this.process.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.receive(line),
    );
    this.forget = cleanUpLater(() => this.kill());
  }

  /** Calls a method; rejects with its error, or when the process ends first. */
  call<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.lastId;
    const answer = new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
    });
    this.process.stdin?.write(`${JSON.stringify({ id, method, params })}\n`);
    return answer;
  }

  /** Lets it close what it has open and waits for its end; after ten seconds it is killed. */
  async end(): Promise<void> {
    this.process.stdin?.end();
    const timer = setTimeout(() => this.signalGroup('SIGKILL'), 10_000);
    await this.ended;
    clearTimeout(timer);
    this.signalGroup('SIGKILL');
    await this.forget();
  }

  /** kill -9 of it and of what it started. */
  async kill(): Promise<void> {
    this.signalGroup('SIGKILL');
    await this.ended;
  }

  private signalGroup(signal: NodeJS.Signals): void {
    try {
      if (this.process.pid) process.kill(-this.process.pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  private receive(line: string): void {
    if (!line.startsWith('{"id":')) return;
    const { id, result, error } = JSON.parse(line) as Answer;
    const waiter = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) waiter?.resolve(result);
    else waiter?.reject(new Error(`${this.role}: ${error}`));
  }
}
