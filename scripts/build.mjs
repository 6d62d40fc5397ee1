/** npm run build: what `npm start` builds, without starting it. `--force` builds even if no source has changed. */
import { ensureBundles, ensureNextBuild } from './lib/build.mjs';
import { checkNode, ensureInstalled } from './lib/install.mjs';
import { withLock } from './lib/lock.mjs';
import { inRoot } from './lib/paths.mjs';
import { ensureGenerated } from './lib/prisma-client.mjs';
import { isForPeople, step } from './lib/progress.mjs';

const force = process.argv.includes('--force');
/** @param {boolean} made */
const what = (made) => (made ? 'made' : 'up to date');
try {
  checkNode();
  await withLock(inRoot('dist', '.lock'), async () => {
    await step('packages', async (note) => note(what(await ensureInstalled())));
    await step('database client', async (note) => note(what(await ensureGenerated({ force }))));
    await step('server and command line', async (note) => note(what(await ensureBundles({ force }))));
    await step('pages', async (note) => note(what(await ensureNextBuild({ force }))));
  });
} catch (error) {
  console.error(isForPeople(error) ? error.message : error);
  process.exitCode = 1;
}
