import { AppError } from '@/lib/protocol/errors';

/** Throws SHARDS_MISMATCH unless the database has the number of shards that this process is set to. */
export function mustHaveShards(stored: number, wanted: number): void {
  if (stored === wanted) return;
  throw new AppError(
    'SHARDS_MISMATCH',
    `OPENCONDUCTOR_SHARDS is ${wanted}, and the runs of this database are divided into ${stored} shards: with another number ` +
      `commands would go where nobody looks for them. Set OPENCONDUCTOR_SHARDS=${stored}.`,
  );
}
