import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the clone: this file lies in it, or its bundle in a cache folder below it. */
export const ROOT = find(dirname(fileURLToPath(import.meta.url)));

function find(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'prisma', 'migrations'))) return folder;
    if (folder === dirname(folder)) throw new Error(`${start} is not inside a clone of OpenConductor.`);
  }
}
