/** npm run check: everything about the code that needs no running system, in less than a minute. */
import { runChecks } from './lib/checks.mjs';
import { checkNode, ensureInstalled } from './lib/install.mjs';
import { isForPeople, seconds } from './lib/progress.mjs';

const begin = performance.now();
try {
  checkNode();
  await ensureInstalled(() => console.log('installing packages …'));
  const { passed, failed } = await runChecks();
  console.log(
    `\n${failed === 0 ? 'All checks passed' : 'Checks failed'} in ${seconds(performance.now() - begin)}`,
  );
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  console.error(isForPeople(error) ? error.message : error);
  process.exitCode = 1;
}
