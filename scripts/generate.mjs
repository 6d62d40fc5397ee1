/**
 * npm run generate: everything that is generated: the Prisma client, without any download, the types of the API client, the
 * documents made from code. `--force` makes the client even if the schema has not changed.
 */
import { checkNode, ensureInstalled } from './lib/install.mjs';
import { inRoot } from './lib/paths.mjs';
import { ensureGenerated } from './lib/prisma-client.mjs';
import { isForPeople, step, Trouble } from './lib/progress.mjs';
import { capture } from './lib/run.mjs';

const WRITERS = [
  'generate-api-client.mjs',
  'generate-docs.ts',
  'generate-cli-docs.ts',
  'generate-starter-docs.ts',
];

try {
  checkNode();
  await step('packages', async (note) => note((await ensureInstalled()) ? 'installed' : 'up to date'));
  const force = process.argv.includes('--force');
  await step('database client', async (note) =>
    note((await ensureGenerated({ force })) ? 'generated' : 'up to date'),
  );
  for (const file of WRITERS)
    await step(file, async () => {
      const runner = file.endsWith('.ts') ? [inRoot('scripts', 'run-ts.mjs')] : [];
      const { code, output } = await capture(process.execPath, [...runner, inRoot('scripts', file)]);
      if (code !== 0) throw new Trouble(output);
    });
} catch (error) {
  console.error(isForPeople(error) ? error.message : error);
  process.exitCode = 1;
}
