import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '@/bench/support/root';

/** Engines that ours is measured beside, with the versions that the published figures are about. */
export const PEER_PACKAGES: Readonly<Record<string, string>> = {
  '@dbos-inc/dbos-sdk': '5.3.0',
  '@restatedev/restate-sdk': '1.17.2',
  '@restatedev/restate-server': '1.7.12',
};

const PEERS = join(ROOT, 'bench', '.peers');
const MANIFEST = join(PEERS, 'package.json');

/** Installs the peers into a folder of their own, once. @throws Error with npm's words when that fails */
export function installPeers(): void {
  const manifest = JSON.stringify({ private: true, type: 'module', dependencies: PEER_PACKAGES }, null, 2);
  const isCurrent = existsSync(MANIFEST) && readFileSync(MANIFEST, 'utf8') === manifest;
  const arePresent = Object.keys(PEER_PACKAGES).every((name) =>
    existsSync(join(PEERS, 'node_modules', name)),
  );
  if (isCurrent && arePresent) return;
  mkdirSync(PEERS, { recursive: true });
  writeFileSync(MANIFEST, manifest);
  // No install scripts: the only one among them reports the installation to its maker.
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawnSync('npm', args, { cwd: PEERS, encoding: 'utf8' });
  if (npm.status !== 0) throw new Error(`npm install of the peers failed:\n${npm.stderr || npm.error}`);
}

const requireFromPeers = createRequire(join(PEERS, 'package.json'));

/** Loads an installed peer. `T` says which part of it is used. */
export function loadPeer<T>(name: string): Promise<T> {
  return import(pathToFileURL(requireFromPeers.resolve(name)).href) as Promise<T>;
}

/** Path of a file inside an installed peer. */
export function peerFile(name: string): string {
  return requireFromPeers.resolve(name);
}
