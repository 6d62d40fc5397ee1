import { z } from 'zod';

/** What stands where a sensitive text was. Numbers and booleans say what they were, objects and lists keep their shape. */
export const MASKED = '•••';

/**
 * A place of a run's data that nobody is shown: a path (`/input/ssn`, `/nodes/fetch/output/token`, `/signals/paid/card`;
 * `*` is any one step), or a key wherever it turns up (`*.password`).
 */
export const sensitivePathSchema = z
  .string()
  .max(1000)
  .regex(
    /^(?:\/(?:input|output)(?:\/.+)?|\/nodes\/[^/]+\/(?:input|output|compensate)(?:\/.+)?|\/signals\/[^/]+(?:\/.+)?|\*\.[^/*]+)$/,
    'write /input/…, /output/…, /nodes/ID/input/…, /nodes/ID/output/…, /nodes/ID/compensate/…, /signals/NAME/… or *.KEY',
  )
  .meta({ id: 'sensitivePath' });

/** The steps of a path, `~1` and `~0` undone; null for a key pattern. */
export function pathSteps(path: string): string[] | null {
  if (!path.startsWith('/')) return null;
  return path
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A path of these steps. */
export function pathOf(steps: readonly string[]): string {
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
