import { runSeed } from '@/tests/simulation/run-seed';

/** npm run simulate -- --seeds 20000 [--from 1] [--seed N]: the long form of the simulation. Exits with 1 at the first broken law. */
function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

const single = option('seed', Number.NaN);
const from = Number.isNaN(single) ? option('from', 1) : single;
const count = Number.isNaN(single) ? option('seeds', 20_000) : 1;
const began = Date.now();
const statuses: Record<string, number> = {};
const kinds: Record<string, number> = {};
let events = 0;
let compensated = 0;
let longest = 0;
let failures = 0;
for (let seed = from; seed < from + count; seed++) {
  try {
    const result = runSeed(seed);
    statuses[result.status] = (statuses[result.status] ?? 0) + 1;
    for (const kind of result.kinds) kinds[kind] = (kinds[kind] ?? 0) + 1;
    events += result.events;
    longest = Math.max(longest, result.events);
    if (result.compensated > 1) compensated++;
  } catch (error) {
    failures++;
    console.error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
    if (failures <= 3 && error instanceof Error)
      console.error(error.stack?.split('\n').slice(1, 6).join('\n'));
    if (failures >= 20) break;
  }
}
console.log(
  JSON.stringify(
    {
      seeds: count,
      from,
      to: from + count - 1,
      failures,
      events,
      longest,
      runsThatUndidSeveral: compensated,
      seconds: (Date.now() - began) / 1000,
      statuses,
      kinds,
    },
    null,
    2,
  ),
);
process.exitCode = failures === 0 ? 0 : 1;
