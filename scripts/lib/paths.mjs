/** Where things are. Plain Node built-ins: this file is read before any package is installed. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the clone, without a slash at its end. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A path inside the clone. @param {...string} parts */
export const inRoot = (...parts) => join(ROOT, ...parts);

/** Things that can be made again at any time: bundles of scripts, stamps. */
export const CACHE_DIR = inRoot('node_modules', '.cache', 'openconductor');
