/**
 * Places in the engine where the fault harness ends the process, to show that nothing is lost there. Outside the harness
 * nobody installs a hook, and a crash point costs one comparison.
 */
export const CRASH_POINTS = [
  'before-effect',
  'after-effect-before-append',
  'after-append-before-ack',
  'after-commit-before-publish',
  'mid-batch',
  'during-lease-renewal',
  'during-compensation',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

let hook: ((name: CrashPoint) => void) | null = null;

/** Marks a place. Does nothing unless a hook was installed. */
export function crashPoint(name: CrashPoint): void {
  if (hook !== null) hook(name);
}

/**
 * Makes the process die by SIGKILL when it passes the place for the nth time. In the middle of a batch it dies a moment
 * later: once the statement has left, before its answer can be here.
 *
 * @param lastWords called right before the end, so that whoever watches can tell it from any other
 */
export function dieAt(place: CrashPoint, nth: number, lastWords: () => void): void {
  let passed = 0;
  const die = () => {
    lastWords();
    process.kill(process.pid, 'SIGKILL');
  };
  hook = (name) => {
    if (name !== place) return;
    passed += 1;
    if (passed !== nth) return;
    if (place === 'mid-batch') setImmediate(() => setImmediate(die));
    else die();
  };
}
