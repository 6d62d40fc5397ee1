import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url)).replace(/\/$/, '');

/** Unit tests lie beside their source; the other suites have a folder each under tests/. */
export default defineConfig({
  resolve: { alias: [{ find: /^@\//, replacement: `${root}/` }] },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{app,components,lib,server,scripts,workflows}/**/*.test.{ts,tsx}'],
          exclude: ['**/*.mocked.test.ts'],
          // Files share their modules: to load them anew for each took longer than the tests.
          pool: 'threads',
          isolate: false,
          // Some start the CLI as a real process; a machine that is busy otherwise must not make them fail.
          testTimeout: 60_000,
          // By default one of two cores is left free; they wait for each other's timers more than they compute.
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          // Those that put something else in the place of a module have theirs for themselves.
          name: 'mocked',
          include: ['server/**/*.mocked.test.ts'],
          testTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'architecture',
          include: ['tests/architecture/**/*.test.ts'],
          testTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: ['tests/{simulation,faults}/**/*.test.ts'],
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['tests/contract/**/*.test.ts'],
          globalSetup: ['tests/support/postgres-global.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          // They wait for processes and timers more than they compute, and each has a database of its own.
          maxWorkers: 2,
          globalSetup: ['tests/support/postgres-global.ts'],
          testTimeout: 240_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
