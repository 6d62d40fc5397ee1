/**
 * node scripts/run-ts.mjs FILE [args…]: runs a TypeScript file of this repository in this process.
 * `process.argv` looks to it as if Node had run it directly; process.cwd() is the caller's.
 */
import { existsSync, rmSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleToCache } from './lib/bundle.mjs';
import { checkNode, ensureInstalled } from './lib/install.mjs';
import { inRoot } from './lib/paths.mjs';
import { ensureGenerated } from './lib/prisma-client.mjs';
import { isForPeople } from './lib/progress.mjs';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('Usage: node scripts/run-ts.mjs FILE [args…]');
  process.exit(2);
}
const entry = isAbsolute(file) ? file : [resolve(file), inRoot(file)].find((path) => existsSync(path));
if (entry === undefined || !existsSync(entry)) {
  console.error(`There is no file ${file}.`);
  process.exit(2);
}

let outfile = '';
try {
  checkNode();
  await ensureInstalled(() => console.error('installing packages …'));
  await ensureGenerated();
  outfile = await bundleToCache(entry);
} catch (error) {
  console.error(isForPeople(error) ? error.message : error);
  process.exit(1);
}
process.setSourceMapsEnabled(true);
process.on('exit', () => {
  rmSync(outfile, { force: true });
  rmSync(`${outfile}.map`, { force: true });
});
process.argv = [process.argv[0] ?? 'node', entry, ...args];
await import(pathToFileURL(outfile).href);
