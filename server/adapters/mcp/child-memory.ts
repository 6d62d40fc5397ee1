import { readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;
const INTERVAL_MS = 2000;
/** A process tree deeper or wider than this is not followed further. */
const MAX_PROCESSES = 200;

/** Resident memory of a process and all its descendants in bytes; undefined where there is no /proc. */
export function treeMemory(pid: number): number | undefined {
  let total: number | undefined;
  const queue = [pid];
  for (let seen = 0; seen < MAX_PROCESSES; seen++) {
    const next = queue.shift();
    if (next === undefined) break;
    try {
      const pages = Number(readFileSync(`/proc/${next}/statm`, 'utf8').split(' ')[1]);
      total = (total ?? 0) + pages * PAGE_BYTES;
      const children = readFileSync(`/proc/${next}/task/${next}/children`, 'utf8').trim();
      if (children !== '') queue.push(...children.split(' ').map(Number));
    } catch {
      // It has ended in between, or the system has no /proc.
    }
  }
  return total;
}

/**
 * Looks at a process tree every two seconds and calls `onExceeded` once when it holds more memory than allowed. A
 * limit of the kernel (RLIMIT_AS) would not do: JavaScript runtimes reserve far more address space than they use.
 *
 * @returns a function that ends the watch
 */
export function watchMemory(pid: number, maxBytes: number, onExceeded: (bytes: number) => void): () => void {
  const timer = setInterval(() => {
    const bytes = treeMemory(pid);
    if (bytes === undefined || bytes <= maxBytes) return;
    clearInterval(timer);
    onExceeded(bytes);
  }, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
