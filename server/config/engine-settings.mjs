/** Settings of the engine: part of the table in settings.mjs. */

const GIB = 1024 ** 3;

/** @type {readonly import('./settings.mjs').Setting[]} */
export const ENGINE_SETTINGS = [
  {
    name: 'OPENCONDUCTOR_SHARDS',
    key: 'shards',
    kind: 'integer',
    default: '64',
    min: 1,
    max: 1024,
    meaning:
      'Into how many shards runs are divided among engine processes. The same for all of one database.',
  },
  {
    name: 'OPENCONDUCTOR_LEASE_TTL_MS',
    key: 'leaseTtlMs',
    kind: 'integer',
    default: '3000',
    min: 500,
    max: 60_000,
    unit: 'ms',
    meaning: 'How long a silent engine process keeps its shards before another takes them over.',
  },
  {
    name: 'OPENCONDUCTOR_MAX_RESIDENT_RUNS',
    key: 'maxResidentRuns',
    kind: 'integer',
    default: '100000',
    min: 1,
    max: 10_000_000,
    meaning:
      'Most runs that an engine process keeps in memory; beyond it, runs that only wait are put to sleep in the database.',
  },
  {
    name: 'OPENCONDUCTOR_MAX_RESIDENT_BYTES',
    key: 'maxResidentBytes',
    kind: 'integer',
    default: '0',
    min: 0,
    max: 1024 * GIB,
    unit: 'bytes',
    meaning:
      'The same by the bytes that these runs hold, estimated from their histories; 0 means a third of the heap that Node may use.',
  },
];
