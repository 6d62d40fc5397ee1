/** What the tests need from the system: a browser, redis-server. As root on Debian it is installed. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { capture } from './run.mjs';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const MAC_CHROME = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** @param {string} program */
const isInstalled = (program) =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && existsSync(join(folder, program)));

/** A browser of the system, or the one that Playwright has downloaded before. */
async function hasBrowser() {
  if (BROWSERS.some(isInstalled) || existsSync(MAC_CHROME)) return true;
  const { chromium } = await import('@playwright/test');
  return existsSync(chromium.executablePath());
}

/**
 * Installs what is missing where that is ours to do.
 * @param {(text: string) => void} note
 * @param {{ browser: boolean }} wanted whether a browser is, besides redis-server
 * @returns {Promise<{ browser: boolean }>}
 */
export async function ensureTestTools(note, wanted) {
  const missing = [];
  if (wanted.browser && !(await hasBrowser())) missing.push('chromium');
  if (!isInstalled('redis-server')) missing.push('redis-server');
  if (missing.length > 0 && process.getuid?.() === 0 && isInstalled('apt-get')) {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const update = await capture('apt-get', ['update', '-q'], { env });
    const install = await capture('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], {
      env,
    });
    if (install.code === 0) note(`${missing.join(' and ')} installed`);
    else
      note(
        `apt-get could not install ${missing.join(' and ')}: ${lastLine(install.output || update.output)}`,
      );
  }
  const browser = wanted.browser && (await hasBrowser());
  if (wanted.browser) note(browser ? 'a browser is there' : 'no browser');
  note(isInstalled('redis-server') ? 'redis-server is there' : 'no redis-server');
  return { browser };
}

/** @param {string} output */
const lastLine = (output) => output.trim().split('\n').at(-1) ?? '';
