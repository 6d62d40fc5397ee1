import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { SETTINGS } from '@/server/config/settings.mjs';

const lines = readFileSync(resolve(import.meta.dirname, '../../docs/operations.md'), 'utf8').split('\n');

it.each(SETTINGS.map((setting) => [setting.name, setting] as const))(
  '%s is documented as it is',
  (name, setting) => {
    const row = lines.find((line) => line.startsWith(`| \`${name}\``));
    expect(row, `docs/operations.md has no row for ${name}`).toBeDefined();
    expect(row).toContain(setting.meaning);
    expect(row).toContain(setting.default === '' ? '| none |' : `| \`${setting.default}\` |`);
  },
);
