import { AppError } from '@/lib/protocol/errors';
import type { StoredDefinition } from '@/server/ports/definition-store';

/** Entity tag of a version: its number and the beginning of its content's hash. */
export function etagOf({ version, hash }: Pick<StoredDefinition, 'version' | 'hash'>): string {
  return `"${version}-${hash.slice(0, 16)}"`;
}

/** True when the caller has this very version (If-None-Match). */
export function isUnchanged(headers: Headers, stored: StoredDefinition): boolean {
  const tags = headers.get('if-none-match');
  return tags?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etagOf(stored)) ?? false;
}

/**
 * The version that a writer has seen, for the store to compare when it writes: from If-Match (that one) or `If-None-Match: *` (0:
 * there is none yet); undefined when the writer said nothing. Throws VERSION_CONFLICT when `current` is another one.
 */
export function seenVersion(headers: Headers, current: StoredDefinition | null): number | undefined {
  const match = headers.get('if-match');
  if (match !== null) {
    const tags = match.split(',').map((tag) => tag.trim());
    if (current !== null && (tags.includes(etagOf(current)) || tags.includes('*'))) return current.version;
    const now = current === null ? 'there is no such workflow' : `its newest version is ${current.version}`;
    throw new AppError('VERSION_CONFLICT', `If-Match names ${match.slice(0, 100)}, but ${now}.`, {
      path: '/headers/if-match',
    });
  }
  if (headers.get('if-none-match')?.trim() !== '*') return undefined;
  if (current === null) return 0;
  throw new AppError('VERSION_CONFLICT', `The workflow exists: its newest version is ${current.version}.`, {
    path: '/headers/if-none-match',
  });
}

/** Entity tag of something whose versions are counted. */
export function numberedEtag(version: number): string {
  return `"v${version}"`;
}

/**
 * The version that If-Match names, for things whose versions are counted; null without the header. A tag of another form
 * is one that never was: version -1.
 */
export function numberMatched(headers: Headers): number | null {
  const match = headers.get('if-match');
  if (match === null) return null;
  return Number(/^\s*(?:W\/)?"v(\d{1,9})"\s*$/.exec(match)?.[1] ?? -1);
}
