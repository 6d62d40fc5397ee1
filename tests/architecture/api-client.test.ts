import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPERATION_COMMANDS } from '@/lib/commands/operations';
import { commandNamed } from '@/lib/commands/registry';
import { readApi } from '../../scripts/lib/api-document.mjs';
import { apiTypes } from '../../scripts/lib/api-types.mjs';

const FILE = 'lib/api-client/generated/schema.ts';

describe('what is made from the table of REST operations', () => {
  it('the typed client is the one that the generator would write now', async () => {
    const committed = readFileSync(resolve(import.meta.dirname, '../..', FILE), 'utf8');
    expect(committed === (await apiTypes()), `Run: node scripts/generate-api-client.mjs`).toBe(true);
  });

  it('every operation has a command, or a reason why there is none (lib/commands/operations.ts)', async () => {
    const { operations } = await readApi();
    const described = operations.filter((of) => !of.hidden).map((of) => of.id);
    expect(described.length).toBeGreaterThan(60);
    const known = Object.keys(OPERATION_COMMANDS);
    expect(described.filter((id) => !known.includes(id))).toEqual([]);
    expect(known.filter((id) => !described.includes(id))).toEqual([]);
    for (const [id, reach] of Object.entries(OPERATION_COMMANDS)) {
      if ('none' in reach) expect(reach.none, id).toMatch(/^.{20,}\.$/);
      else expect(commandNamed(reach.by)?.surfaces, id).toContain('cli');
    }
  });
});
