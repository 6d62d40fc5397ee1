import type { Cluster } from '../../server/adapters/postgres/embedded/cluster';

export function keepPostgres(
  launch: (log: (text: string) => void) => Promise<Cluster>,
  giveUp: () => void,
  now?: () => number,
): Promise<{ url: string; stop: () => Promise<void> }>;
