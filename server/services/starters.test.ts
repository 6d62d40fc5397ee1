import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firstMismatch } from '@/lib/engine/json-schema';
import { validateDefinition } from '@/lib/engine/validate';
import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import { readmeOf, sampleInputOf } from '@/lib/protocol/workflow-readme';
import type { Json } from '@/lib/shared/json';
import { publishStarters, readStarter, starterFiles } from '@/server/services/starters';

const FOLDER = 'workflows/starters';
const files = await starterFiles(FOLDER);
/** Of service as a failure workflow only: no sample of its own. */
const HELPERS = ['failure-note.yaml'];

describe('the starters that come along', () => {
  it('are twelve', () => expect(files.filter((file) => !HELPERS.includes(file))).toHaveLength(12));

  describe.each(files)('%s', (file) => {
    it('is valid without a warning, and called like its file', async () => {
      const definition = await readStarter(FOLDER, file);
      expect(validateDefinition(definition).problems).toEqual([]);
      expect(file).toBe(`${definition.name}.yaml`);
      if (definition.failureWorkflow !== undefined)
        expect(files).toContain(`${definition.failureWorkflow}.yaml`);
    });

    it.skipIf(HELPERS.includes(file))('has a readme, and a sample that its input allows', async () => {
      const definition = await readStarter(FOLDER, file);
      const readme = readmeOf(definition.description);
      for (const heading of ['When to use it', 'Servers', 'What a person does'])
        expect(readme?.text).toContain(`\n## ${heading}\n`);
      expect(readme?.summary.length).toBeLessThan(140);
      expect(readme?.expected).toMatchObject({ status: expect.stringMatching(/^(completed|failed)$/) });
      const sample = sampleInputOf(definition) as Json;
      expect(sample).toBeDefined();
      expect(firstMismatch(definition.input as Json, sample)).toBeNull();
    });
  });
});

describe('publishStarters', () => {
  const actor = {} as Actor;
  const starter = (name: string, server?: string) => ({
    schemaVersion: 1,
    name,
    nodes: [
      server === undefined
        ? { id: 'a', kind: 'transform', output: 1 }
        : { id: 'a', kind: 'mcp-server', server, tool: 't' },
    ],
  });

  it('adds what is missing; leaves alone what exists; skips what lacks a server; one broken file does no harm', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'oc-starters-'));
    const put = (name: string, server?: string) =>
      writeFile(join(folder, `${name}.yaml`), JSON.stringify(starter(name, server)));
    await Promise.all([
      put('known'),
      put('new'),
      put('lacking', 'gone'),
      put('served', 'here'),
      put('refused'),
      put('raced'),
    ]);
    await writeFile(join(folder, 'broken.yaml'), 'name: [');
    const published: string[] = [];
    const errors: unknown[] = [];
    const workflows = {
      list: async () => [{ name: 'known' }],
      publish: async (_actor: Actor, definition: { name: string }, seen?: number) => {
        expect(seen).toBe(0);
        if (definition.name === 'raced') throw new AppError('VERSION_CONFLICT', 'somebody was faster');
        if (definition.name === 'refused') throw new Error('no');
        published.push(definition.name);
      },
    };
    const log = {
      debug() {},
      info() {},
      warn() {},
      error: (_what: string, facts: { file: string }) => errors.push(facts.file),
      with: () => log,
    };
    await publishStarters(workflows as never, actor, folder, new Set(['here']), log as never);
    expect(published.sort()).toEqual(['new', 'served']);
    expect(errors.sort()).toEqual(['broken.yaml', 'refused.yaml']);
    await rm(folder, { recursive: true });
  });

  it('needs no folder', async () => {
    const nothing = { list: async () => [], publish: async () => expect.unreachable() };
    await publishStarters(nothing as never, actor, '/nowhere', new Set(), {} as never);
  });
});
