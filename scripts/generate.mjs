/** npm run generate: the Prisma client, without any download. `--force` makes it even if the schema has not changed. */
import { checkNode, ensureInstalled } from './lib/install.mjs';
import { ensureGenerated } from './lib/prisma-client.mjs';
import { isForPeople, step } from './lib/progress.mjs';

try {
  checkNode();
  await step('packages', async (note) => note((await ensureInstalled()) ? 'installed' : 'up to date'));
  const force = process.argv.includes('--force');
  await step('database client', async (note) =>
    note((await ensureGenerated({ force })) ? 'generated' : 'up to date'),
  );
} catch (error) {
  console.error(isForPeople(error) ? error.message : error);
  process.exitCode = 1;
}
