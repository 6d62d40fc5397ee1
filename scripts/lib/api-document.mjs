/**
 * The OpenAPI document of this very source, without an instance: every file of server/adapters/http/operations is asked for
 * its operations, with nothing behind them. A new file there is found by itself.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CACHE_DIR, inRoot } from './paths.mjs';

const FOLDER = 'server/adapters/http/operations';

/** Stands for any service: every property of it is itself. What an operation does is never called here. */
const inert = new Proxy(() => inert, { get: () => inert });

/**
 * Every operation, and the document made of them.
 * @returns {Promise<{ operations: { id: string, hidden?: boolean }[], document: Record<string, unknown> }>}
 */
export async function readApi() {
  const { build } = await import('esbuild');
  const files = readdirSync(inRoot(FOLDER)).filter(
    (name) => /^[\w-]+\.ts$/.test(name) && !name.includes('.test.'),
  );
  const lines = files.map((name, i) => `import * as m${i} from './${FOLDER}/${name}';`);
  lines.push("export { openApiDocument } from './server/adapters/http/openapi.ts';");
  lines.push(`export const modules = [${files.map((_, i) => `m${i}`).join(', ')}];`);
  const outfile = join(CACHE_DIR, 'run', `api-document.${process.pid}.mjs`);
  await build({
    absWorkingDir: inRoot(),
    stdin: { contents: lines.join('\n'), resolveDir: inRoot(), loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    packages: 'external',
    alias: { '@': inRoot() },
    logLevel: 'silent',
  });
  try {
    const { modules, openApiDocument } = await import(pathToFileURL(outfile).href);
    const operations = modules.flatMap((module) =>
      Object.entries(module)
        .filter(([name]) => name.endsWith('Operations'))
        .flatMap(([, factory]) => factory(inert, inert, inert, inert)),
    );
    return { operations, document: openApiDocument(operations, '0') };
  } finally {
    rmSync(outfile, { force: true });
  }
}
