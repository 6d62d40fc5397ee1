import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The file that runs: the bundle of bench/main.ts. Child processes run the same one. */
export const SELF = fileURLToPath(import.meta.url);

/** Root of the clone. The bundle lies somewhere below it. */
export const ROOT = findRoot(dirname(SELF));

/** A small MCP server over stdio whose tool `slow_echo` gives back what it is given, after `ms` milliseconds. */
export const ECHO_SERVER = join(ROOT, 'tests/fixtures/mcp-servers/slow-server.mjs');

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'prisma', 'migrations'))) return folder;
    if (folder === dirname(folder)) throw new Error(`${start} is not inside a clone of OpenConductor.`);
  }
}
