import { dirname } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { findRoot } from '@/server/cli/base-url';
import { EXIT } from '@/server/cli/cli-error';
import type { Sink } from '@/server/cli/output';
import { runCli } from '@/server/cli/run-cli';
import { screenOf } from '@/server/cli/screen';
import { readCliEnvironment } from '@/server/config/cli-environment';

/** The program `openconductor`: joins `runCli` to this process. */

function sinkOf(stream: NodeJS.WriteStream): Sink {
  // A reader that has gone away (`| head`) is no error: the rest is simply not wanted.
  stream.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed),
  );
  return {
    write: (text) => {
      stream.write(text);
    },
    isTTY: stream.isTTY === true,
    columns: stream.columns ?? 0,
  };
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question, { signal: interrupt.signal });
  } finally {
    terminal.close();
  }
}

/** Asks without showing what is typed: the terminal itself echoes, so it is made to stay quiet. */
async function askSecret(question: string): Promise<string> {
  const terminal = createInterface({
    input: process.stdin,
    output: new Writable({ write: (_chunk, _encoding, done) => done() }),
    terminal: true,
  });
  process.stderr.write(question);
  try {
    return await terminal.question('', { signal: interrupt.signal });
  } finally {
    process.stderr.write('\n');
    terminal.close();
  }
}

const interrupt = new AbortController();
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
  interrupt.abort();
});

/** What a command has under way that must not be left alone. */
const underWay: Promise<unknown>[] = [];

process.once('SIGTERM', () => {
  // What is drawn on the terminal is taken back; a command that does not listen is ended all the same.
  interrupt.abort();
  const end = () => void Promise.allSettled(underWay).then(() => process.exit(EXIT.interrupted));
  setTimeout(end, 1_000).unref();
});

const environment = readSafely();
const start = fileURLToPath(import.meta.url);
process.exitCode = await runCli({
  argv: process.argv.slice(2),
  out: sinkOf(process.stdout),
  err: sinkOf(process.stderr),
  input: {
    stdin: process.stdin,
    stdinIsTTY: process.stdin.isTTY === true,
    workingDir: environment.ok ? (environment.value.workingDir ?? process.cwd()) : process.cwd(),
  },
  interrupt: interrupt.signal,
  endAfter: (work) => void underWay.push(work),
  readEnvironment: () => {
    if (environment.ok) return environment.value;
    throw environment.error;
  },
  root: await findRoot([dirname(start), dirname(process.argv[1] ?? start), process.cwd()]),
  ask,
  askSecret,
  screen: screenOf(process.stdout, process.stdin),
});

type Read = { ok: true; value: ReturnType<typeof readCliEnvironment> } | { ok: false; error: unknown };

function readSafely(): Read {
  try {
    return { ok: true, value: readCliEnvironment() };
  } catch (error) {
    return { ok: false, error };
  }
}
