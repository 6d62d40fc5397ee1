import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cruise, type Violation } from '../../scripts/lib/cruise.mjs';

/**
 * That the law catches what it forbids, and nothing else. That this repository keeps it is a check of its own in `npm run check`
 * (scripts/lib/checks.mjs), which asks the same function.
 */

/** Files that each break one rule; the last of a pair that is imported needs no content of its own. */
const PLANTED: [rule: string, file: string, imports: string][] = [
  ['no-cycles', 'lib/engine/one.ts', './two'],
  ['resolvable', 'lib/engine/lost.ts', '@/lib/engine/nowhere'],
  ['lib-shared-stands-alone', 'lib/shared/up.ts', '@/lib/protocol/thing'],
  ['lib-protocol-stands-alone', 'lib/protocol/up.ts', '@/lib/engine/thing'],
  ['lib-engine-stands-alone', 'lib/engine/files.ts', 'node:fs'],
  ['lib-engine-stands-alone', 'lib/engine/package.ts', 'yaml'],
  ['lib-registry-stands-alone', 'lib/registry/sideways.ts', '@/lib/engine/thing'],
  ['lib-commands-stands-alone', 'lib/commands/up.ts', '@/lib/client/thing'],
  ['lib-keyboard-stands-alone', 'lib/keyboard/package.ts', 'yaml'],
  ['lib-theme-stands-alone', 'lib/theme/sideways.ts', '@/lib/keyboard/thing'],
  ['lib-never-server', 'lib/client/server.ts', '@/server/services/thing'],
  ['lib-api-client-stands-low', 'lib/api-client/files.ts', 'node:fs'],
  ['lib-client-is-browser', 'lib/client/files.ts', 'node:fs'],
  ['components-never-server', 'components/ui/server.ts', '@/server/ports/thing'],
  ['app-never-server', 'app/service.ts', '@/server/services/thing'],
  ['graph-library-in-graph', 'components/ui/graph.ts', '@xyflow/react'],
  ['panels-apart', 'components/panels/runs/other.ts', '@/components/panels/servers/thing'],
  ['database-in-its-adapter', 'server/workers/driver.ts', 'pg'],
  ['database-in-its-adapter', 'server/services/generated.ts', '@/server/adapters/postgres/generated/client'],
  ['ports-first', 'server/ports/service.ts', '@/server/services/thing'],
  ['services-on-ports', 'server/services/adapter.ts', '@/server/adapters/postgres/thing'],
  ['workers-on-ports', 'server/workers/adapter.ts', '@/server/adapters/postgres/thing'],
  ['adapters-apart', 'server/adapters/http/worker.ts', '@/server/workers/thing'],
  ['config-below-all', 'server/config/service.ts', '@/server/services/thing'],
  ['cli-is-a-client', 'server/cli/service.ts', '@/server/services/thing'],
  ['server-never-pages', 'server/services/page.ts', '@/components/ui/thing'],
  ['no-barrels', 'server/services/barrel.ts', '@/server/adapters/mcp/index'],
  ['no-tests-in-source', 'lib/client/test.ts', './thing.test'],
  ['no-dev-packages', 'server/services/dev.ts', 'vitest'],
];

/** Files that keep the law and must not be complained about. */
const LAWFUL: [file: string, imports: string][] = [
  ['lib/protocol/lawful.ts', '@/lib/shared/thing'],
  ['lib/engine/lawful.ts', '@/lib/protocol/thing'],
  ['lib/api-client/lawful.ts', '@/lib/protocol/thing'],
  ['components/graph/lawful.ts', '@xyflow/react'],
  ['components/panels/runs/lawful.ts', './own'],
  ['server/services/lawful.ts', '@/server/ports/thing'],
  ['server/adapters/postgres/lawful.ts', 'pg'],
  ['server/index.ts', '@/server/adapters/postgres/lawful'],
];

let tree: string;
let found: Violation[];

function plant(file: string, text: string): void {
  const place = join(tree, file);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, text);
}

beforeAll(async () => {
  tree = mkdtempSync(join(tmpdir(), 'oc-law-'));
  plant(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: { moduleResolution: 'bundler', module: 'esnext', paths: { '@/*': ['./*'] } },
    }),
  );
  const dependencies = { pg: '1.0.0', yaml: '1.0.0', '@xyflow/react': '1.0.0' };
  plant(
    'package.json',
    JSON.stringify({ name: 'planted', dependencies, devDependencies: { vitest: '1.0.0' } }),
  );
  for (const name of [...Object.keys(dependencies), 'vitest']) {
    plant(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    plant(`node_modules/${name}/index.js`, 'module.exports = {};');
  }
  const things = [
    ...[
      'lib/shared',
      'lib/protocol',
      'lib/engine',
      'lib/client',
      'lib/keyboard',
      'components/ui',
      'components/panels/servers',
    ],
    ...['server/ports', 'server/services', 'server/workers', 'server/adapters/postgres'],
  ];
  for (const folder of things) plant(`${folder}/thing.ts`, 'export const thing = 1;');
  // A cycle is reported once, at its first file.
  plant('lib/engine/two.ts', "export * from './one';");
  plant('components/panels/runs/own.ts', 'export const own = 1;');
  plant('server/adapters/postgres/generated/client.ts', 'export const client = 1;');
  plant('server/adapters/mcp/index.ts', 'export const barrel = 1;');
  plant('lib/client/thing.test.ts', 'export const test = 1;');
  for (const [, file, imports] of PLANTED)
    plant(file, `import * as x from '${imports}';\nexport const y = x;`);
  for (const [file, imports] of LAWFUL) plant(file, `import * as x from '${imports}';\nexport const y = x;`);
  found = (await cruise(tree)).violations;
}, 60_000);

afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe('the import law', () => {
  it.each(PLANTED)('%s: %s may not import %s', (rule, file) => {
    expect(found.filter((violation) => violation.from === file).map((violation) => violation.rule)).toContain(
      rule,
    );
  });

  it.each(LAWFUL)('%s may import %s', (file) => {
    expect(found.filter((violation) => violation.from === file)).toEqual([]);
  });
});
