import { type ChildProcess, spawn } from 'node:child_process';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { CallMeter } from '@/server/adapters/mcp/call-meter';
import { watchMemory } from '@/server/adapters/mcp/child-memory';
import { type ChildRegistry, signalGroup } from '@/server/adapters/mcp/child-registry';
import { LineSplitter } from '@/server/adapters/mcp/line-splitter';
import type { ServerLog } from '@/server/adapters/mcp/server-log';
import { ANSWER_TOO_LARGE } from '@/server/adapters/mcp/wire-codes';

const STDIN_GRACE_MS = 500;
const TERM_GRACE_MS = 1500;
/** How long output may still come after the process has ended (a helper of it can hold the pipe). */
const DRAIN_MS = 500;
const MAX_LOG_LINE_BYTES = 64 * 1024;

/** How a server process is run. */
export interface StdioTransportOptions {
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  /** Bytes of one message from the server at most. */
  maxMessageBytes: number;
  /** Bytes of memory that the process tree may hold. */
  maxMemoryBytes: number;
  children: ChildRegistry;
  log: ServerLog;
  now: () => number;
}

/**
 * MCP over the standard streams of a child process. Our own, because the SDK's transport cannot make the child a
 * process group (so that its helpers die with it), keeps no log, and validates every message a second time.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  readonly meter = new CallMeter();
  /** Why the connection ended, once it has: `exit code 1`, `signal SIGKILL`, `closed its output`. */
  endedBy: string | undefined;
  private child: ChildProcess | undefined;
  private finished = false;
  private stopWatching: () => void = () => undefined;
  private corked = false;
  private exited: Promise<void> = Promise.resolve();

  constructor(private readonly options: StdioTransportOptions) {}

  /** Process id of the server; the SDK recognises a stdio transport by `pid` and `stderr`. */
  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  get stderr(): null {
    return null;
  }

  /** Starts the process. Rejects with the system's error when that is impossible. */
  start(): Promise<void> {
    const { command, args, env, cwd, children } = this.options;
    const child = spawn(command, args, {
      env: env as NodeJS.ProcessEnv,
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      shell: false,
      detached: true,
      windowsHide: true,
    });
    this.child = child;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.endedBy ??= signal === null ? `exit code ${code}` : `signal ${signal}`;
        this.stopWatching();
        if (child.pid !== undefined) {
          signalGroup(child.pid, 'SIGKILL');
          children.remove(child.pid);
        }
        resolve();
        const late = setTimeout(() => this.finish(), DRAIN_MS);
        child.once('close', () => {
          clearTimeout(late);
          this.finish();
        });
      });
    });
    this.listen(child);
    return new Promise((resolve, reject) => {
      child.once('error', (error) => {
        this.endedBy ??= error.message;
        reject(error);
        if (child.pid === undefined) this.finish();
      });
      child.once('spawn', () => {
        if (child.pid !== undefined) {
          children.add(child.pid, [command, ...args].join(' '));
          this.stopWatching = watchMemory(child.pid, this.options.maxMemoryBytes, (bytes) =>
            this.tooMuchMemory(bytes),
          );
        }
        resolve();
      });
    });
  }

  /** Hands a message to the server. Messages of one turn of the event loop leave in one system call. */
  send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.child?.stdin;
    if (this.finished || stdin === null || stdin === undefined || !stdin.writable) {
      return Promise.reject(new Error('The server process is not running.'));
    }
    const line = `${JSON.stringify(message)}\n`;
    this.meter.sending(message, Buffer.byteLength(line));
    if (!this.corked) {
      this.corked = true;
      stdin.cork();
      process.nextTick(() => {
        this.corked = false;
        stdin.uncork();
      });
    }
    stdin.write(line);
    return Promise.resolve();
  }

  /** Ends the process: end of input first, then SIGTERM, then SIGKILL, always for the whole group. */
  async close(): Promise<void> {
    const child = this.child;
    if (child?.pid === undefined || this.finished) return;
    this.endedBy ??= 'closed by us';
    child.stdin?.end();
    if (!(await this.endsWithin(STDIN_GRACE_MS))) {
      signalGroup(child.pid, 'SIGTERM');
      if (!(await this.endsWithin(TERM_GRACE_MS))) signalGroup(child.pid, 'SIGKILL');
    }
    await this.exited;
    this.finish();
  }

  private listen(child: ChildProcess): void {
    const { log, now, maxMessageBytes } = this.options;
    const stdout = new LineSplitter(maxMessageBytes, {
      line: (text, bytes) => this.receive(text, bytes),
      oversized: (bytes, head, tail) => this.refuse(bytes, head, tail),
    });
    const stderr = new LineSplitter(MAX_LOG_LINE_BYTES, {
      line: (text) => log.add(now(), 'stderr', text),
      oversized: (bytes, head) => log.add(now(), 'stderr', `${head}… (${bytes} bytes)`),
    });
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdout?.on('end', () => this.abandon('closed its output'));
    child.stdin?.on('error', (error) => this.abandon(`closed its input (${error.message})`));
    for (const stream of [child.stdout, child.stderr]) stream?.on('error', (error) => this.onerror?.(error));
  }

  private receive(text: string, bytes: number): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      this.options.log.add(this.options.now(), 'stdout', text);
      return;
    }
    if (typeof message !== 'object' || message === null) {
      this.options.log.add(this.options.now(), 'stdout', text);
      return;
    }
    this.meter.received(message, bytes);
    if (!this.meter.told(message)) this.onmessage?.(message as JSONRPCMessage);
  }

  /** Answers a call, whose real answer was too long to read, with an error; ends the connection when unknown. */
  private refuse(bytes: number, head: string, tail: string): void {
    const found = /"id"\s*:\s*(\d+)\s*}\s*$/.exec(tail) ?? /^\s*{[^{[]*?"id"\s*:\s*(\d+)/.exec(head);
    this.options.log.add(this.options.now(), 'client', `dropped a message of ${bytes} bytes`);
    if (found?.[1] === undefined) {
      this.abandon(`sent a message of ${bytes} bytes`);
      return;
    }
    const message = `The answer of ${bytes} bytes is over the limit of ${this.options.maxMessageBytes}.`;
    const answer = {
      jsonrpc: '2.0' as const,
      id: Number(found[1]),
      error: { code: ANSWER_TOO_LARGE, message },
    };
    this.meter.received(answer, bytes);
    this.onmessage?.(answer);
  }

  /** The server can no longer be spoken to although its process may still run. */
  private abandon(reason: string): void {
    if (this.finished || this.child?.pid === undefined || this.child.exitCode !== null) return;
    // Output also ends when the process exits, an instant before its exit is reported: that reason is the better one.
    const { pid } = this.child;
    void this.endsWithin(DRAIN_MS).then((ended) => {
      if (ended) return;
      this.endedBy ??= reason;
      signalGroup(pid, 'SIGKILL');
    });
  }

  private tooMuchMemory(bytes: number): void {
    const megabytes = Math.round(bytes / 1_048_576);
    this.endedBy ??= `ended by us: it held ${megabytes} MB of memory`;
    this.options.log.add(this.options.now(), 'client', this.endedBy);
    if (this.child?.pid !== undefined) signalGroup(this.child.pid, 'SIGKILL');
  }

  private endsWithin(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      void this.exited.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  private finish(): void {
    if (this.finished) return;
    this.finished = true;
    for (const stream of [this.child?.stdin, this.child?.stdout, this.child?.stderr]) stream?.destroy();
    this.onclose?.();
  }
}
