import { benchCore } from '@/bench/core';
import { benchEngine } from '@/bench/engine';
import { runEngineChild } from '@/bench/engine-child';
import { benchIdentity } from '@/bench/identity';
import { benchMcp } from '@/bench/mcp';
import { benchSoak } from '@/bench/soak';

/** Benches by name. Names that end in `-child` are processes that a bench starts itself. */
const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  core: benchCore,
  engine: benchEngine,
  'engine-child': runEngineChild,
  identity: benchIdentity,
  mcp: benchMcp,
  soak: benchSoak,
};

const [name = '', ...args] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench) {
  bench(args).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
} else {
  const names = Object.keys(BENCHES).filter((known) => !known.endsWith('-child'));
  process.stderr.write(`Usage: npm run bench -- ${names.join('|')} [options]\n`);
  process.exit(2);
}
