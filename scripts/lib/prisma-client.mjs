/** Generates the Prisma client when the schema has changed. Node built-ins only. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { mustRun } from './run.mjs';

const GENERATED = inRoot('server', 'adapters', 'postgres', 'generated');
const STAMP = inRoot('server', 'adapters', 'postgres', 'generated', '.made-from');

/**
 * @param {{ force?: boolean }} [options]
 * @returns {Promise<boolean>} true when it was generated now
 */
export async function ensureGenerated({ force = false } = {}) {
  const schema = inRoot('prisma', 'schema.prisma');
  const version = JSON.parse(readFileSync(inRoot('node_modules', 'prisma', 'package.json'), 'utf8')).version;
  const hash = createHash('sha256').update(`${version}\n`).update(readFileSync(schema)).digest('hex');
  if (!force && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return false;
  await mustRun(
    'prisma generate',
    process.execPath,
    [inRoot('node_modules', 'prisma', 'build', 'index.js'), 'generate'],
    {
      env: {
        // `generate` fetches the schema engine, which it never runs. Any existing file in its place stops the download.
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        CHECKPOINT_DISABLE: '1',
      },
    },
  );
  if (existsSync(GENERATED)) writeFileSync(STAMP, hash);
  return true;
}
