import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The file that runs: the bundle of bench/main.ts. Child processes run the same one. */
export const SELF = fileURLToPath(import.meta.url);

/** Root of the clone. The bundle lies somewhere below it. */
export const ROOT = findRoot(dirname(SELF));

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'prisma', 'migrations'))) return folder;
    if (folder === dirname(folder)) throw new Error(`${start} is not inside a clone of OpenConductor.`);
  }
}
