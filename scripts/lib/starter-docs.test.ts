import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { starterDocs } from '@/scripts/lib/starter-docs';

it('docs/starters.md is what the readmes of the starters give', async () => {
  const written = await readFile('docs/starters.md', 'utf8');
  const made = await starterDocs('workflows/starters');
  expect(written, 'run: node scripts/run-ts.mjs scripts/generate-starter-docs.ts').toBe(made);
  expect(made.match(/^## [a-z-]+$/gm)).toHaveLength(12);
});
