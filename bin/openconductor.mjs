#!/usr/bin/env node
/**
 * The command line. Its source is server/cli/main.ts; this makes the bundle of it when there is none that is up to
 * date, and hands over.
 */
import { pathToFileURL } from 'node:url';
import { ensureBundles } from '../scripts/lib/build.mjs';
import { checkNode, ensureInstalled } from '../scripts/lib/install.mjs';
import { inRoot } from '../scripts/lib/paths.mjs';
import { isForPeople } from '../scripts/lib/progress.mjs';

try {
  checkNode();
  if (await ensureInstalled(() => console.error('Installing packages (only this once)…'))) {
    console.error('Packages are installed.');
  }
  await ensureBundles({ only: ['cli'] });
} catch (error) {
  console.error(isForPeople(error) ? error.message : error);
  process.exit(1);
}
process.setSourceMapsEnabled(true);
await import(pathToFileURL(inRoot('dist', 'cli.mjs')).href);
