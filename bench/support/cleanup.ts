/** Things to undo at the end of a bench, whichever way it ends. */
const undone: (() => Promise<void> | void)[] = [];
let undoing: Promise<void> | null = null;

/** Notes something to undo; the last noted is undone first. Gives back a function that does it now. */
export function cleanUpLater(undo: () => Promise<void> | void): () => Promise<void> {
  undone.push(undo);
  return async () => {
    const place = undone.indexOf(undo);
    if (place < 0) return;
    undone.splice(place, 1);
    await undo();
  };
}

/** One after another, and only once at a time: a folder must not be removed before what uses it has ended. */
function undoAll(): Promise<void> {
  undoing ??= (async () => {
    for (let undo = undone.pop(); undo; undo = undone.pop()) {
      try {
        await undo();
      } catch (error) {
        process.stderr.write(`clean-up: ${String(error)}\n`);
      }
    }
  })().finally(() => {
    undoing = null;
  });
  return undoing;
}

/**
 * Runs a bench and undoes what it noted: after success, after an error, on SIGINT, SIGTERM and SIGHUP, and when whoever reads
 * the output goes away.
 */
export async function withCleanUp(work: () => Promise<void>): Promise<void> {
  const stop = (reason: string, code: number) => {
    process.stderr.write(`stopping: ${reason}\n`);
    void undoAll().then(() => process.exit(code));
  };
  process.once('SIGINT', () => stop('SIGINT', 130));
  process.once('SIGTERM', () => stop('SIGTERM', 143));
  process.once('SIGHUP', () => stop('SIGHUP', 129));
  process.once('uncaughtException', (error) => stop(String(error), 1));
  process.stderr.on('error', () => undefined);
  process.stdout.once('error', (error) => stop(String(error), 1));
  try {
    await work();
  } finally {
    await undoAll();
  }
}
