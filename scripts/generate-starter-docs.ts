import { writeFile } from 'node:fs/promises';
import { starterDocs } from '@/scripts/lib/starter-docs';

/** Writes docs/starters.md from the readme blocks of the starters. A unit test fails while the two differ. */
await writeFile('docs/starters.md', await starterDocs('workflows/starters'));
console.log('docs/starters.md written');
