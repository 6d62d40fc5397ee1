/** Progress lines of the scripts: what was done, and how long it took. Node built-ins only. */

/** @param {number} ms */
export const seconds = (ms) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;

/** A failure that is for the reader of the terminal: its message says what to do, its stack says nothing. */
export class Trouble extends Error {}

/** What the system says about these is enough: "EACCES: permission denied, mkdir '…'". */
const SYSTEM = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC']);

/** True for errors whose message says it all. @param {unknown} error @returns {error is Error} */
export const isForPeople = (error) =>
  error instanceof Error &&
  (error instanceof Trouble ||
    ['DatabaseSetupError', 'ConfigError'].includes(error.name) ||
    SYSTEM.has(/** @type {NodeJS.ErrnoException} */ (error).code ?? ''));

/**
 * Runs one step and prints a line when it is done; one that takes longer than a second announces itself, and prints remarks as
 * they come.
 * @template T
 * @param {string} name
 * @param {(note: (text: string) => void) => T | Promise<T>} work `note` adds a remark to the line
 * @returns {Promise<T>}
 */
export async function step(name, work) {
  const begin = performance.now();
  /** @type {string[]} */
  const notes = [];
  let announced = false;
  const announce = setTimeout(() => {
    announced = true;
    console.log(`  … ${name}`);
  }, 1000);
  const note = (/** @type {string} */ text) => {
    notes.push(text);
    if (announced) console.log(`  … ${name}: ${text}`);
  };
  try {
    const result = await work(note);
    const time = seconds(performance.now() - begin).padStart(8);
    console.log(`${time}  ${name}${notes.length > 0 ? `: ${notes.join('; ')}` : ''}`);
    return result;
  } catch (error) {
    console.log(`  failed  ${name} (after ${seconds(performance.now() - begin)})`);
    throw error;
  } finally {
    clearTimeout(announce);
  }
}
