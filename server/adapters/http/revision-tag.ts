import { AppError } from '@/lib/protocol/errors';

/** Entity tag of something that counts its changes. */
export function revisionTag(revision: number): string {
  return `"r${revision}"`;
}

/**
 * The revision that a writer has seen (If-Match), for the store to compare when it writes; null when the writer said nothing
 * or `*`. Throws VERSION_CONFLICT for a tag that is none of ours.
 */
export function seenRevision(headers: Headers): number | null {
  const match = headers.get('if-match')?.trim();
  if (match === undefined || match === '*') return null;
  const revision = /^(?:W\/)?"r(\d{1,9})"$/.exec(match)?.[1];
  if (revision !== undefined) return Number(revision);
  throw new AppError(
    'VERSION_CONFLICT',
    `If-Match names ${match.slice(0, 100)}, which is no version of it.`,
    {
      path: '/headers/if-match',
    },
  );
}
