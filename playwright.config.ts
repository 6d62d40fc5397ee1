import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

/** The system's Chromium when there is one; else the browser that Playwright has installed. */
const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const system = BROWSERS.find((path) => existsSync(path));
/** Chromium refuses to run as root inside its own sandbox. */
const root = process.getuid?.() === 0;

/**
 * Runs against an instance that is already there: scripts/test.mjs starts a production one and sets
 * E2E_BASE_URL. One worker: the specs share that instance and its runs.
 */
export default defineConfig({
  testDir: 'e2e',
  workers: 1,
  fullyParallel: false,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  outputDir: 'test-results',
  use: {
    baseURL: process.env.E2E_BASE_URL ?? 'http://127.0.0.1:3000',
    viewport: { width: 1440, height: 900 },
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      ...(system === undefined ? {} : { executablePath: system }),
      args: [
        ...(root ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
