/**
 * What the plain scripts (`npm start`, `npm test`) use of the TypeScript code. `scripts/lib/build.mjs` bundles it
 * to dist/setup.mjs after the install, so that there is one implementation of each.
 */
export { killOrphans } from '@/server/adapters/mcp/child-registry';
export { backupDatabase } from '@/server/adapters/postgres/backup/dump';
export { restoreDatabase } from '@/server/adapters/postgres/backup/restore';
export { hasCluster, runningCluster, startCluster } from '@/server/adapters/postgres/embedded/cluster';
export { prepareDatabase } from '@/server/adapters/postgres/prepare';
