/** Writes the types of the typed client from the REST operations. No instance and no network are needed. */
import { writeFile } from 'node:fs/promises';
import { apiTypes } from './lib/api-types.mjs';
import { inRoot } from './lib/paths.mjs';

const FILE = 'lib/api-client/generated/schema.ts';
await writeFile(inRoot(FILE), await apiTypes());
console.log(`${FILE} written`);
