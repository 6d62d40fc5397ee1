/** Things to undo at the end of a bench, whichever way it ends. */
const undone: (() => Promise<void> | void)[] = [];

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

async function undoAll(): Promise<void> {
  for (let undo = undone.pop(); undo; undo = undone.pop()) {
    try {
      await undo();
    } catch (error) {
      process.stderr.write(`clean-up: ${String(error)}\n`);
    }
  }
}

/** Runs a bench and undoes what it noted: after success, after an error, and on SIGINT and SIGTERM. */
export async function withCleanUp(work: () => Promise<void>): Promise<void> {
  const stop = (signal: NodeJS.Signals) => {
    process.stderr.write(`${signal}: stopping\n`);
    void undoAll().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    await work();
  } finally {
    await undoAll();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
