/**
 * Adds to the end of a list that never grows past `limit`; what falls out is the oldest. Returns a new
 * array (stores compare by identity), or the same one when there is nothing to add.
 */
export function appendBounded<T>(items: readonly T[], added: readonly T[], limit: number): readonly T[] {
  if (added.length === 0) return items;
  if (added.length >= limit) return added.slice(added.length - limit);
  const keep = Math.min(items.length, limit - added.length);
  return [...items.slice(items.length - keep), ...added];
}
