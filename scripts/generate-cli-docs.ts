import { writeFile } from 'node:fs/promises';
import { cliDocs } from '@/lib/commands/docs';

/** Writes docs/cli.md from the command registry. A unit test fails while the two differ. */
await writeFile('docs/cli.md', cliDocs());
console.log('docs/cli.md written');
