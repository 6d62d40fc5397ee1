/**
 * Edits between two words: insertions, deletions, replacements, and swaps of neighbours
 * (optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(
        (previous[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** Longest word worth comparing: beyond it nobody means a command, and the work grows with the square. */
const LONGEST = 64;

/** Edits at which a word of this length still counts as mistyped. */
function tolerance(length: number): number {
  if (length <= 2) return 0;
  if (length <= 4) return 1;
  return length <= 8 ? 2 : 3;
}

/**
 * The candidate that was most likely meant by `word`, or undefined when none is near. A candidate that begins
 * with the word (three letters or more) counts as near.
 */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  if (wanted.length > LONGEST) return undefined;
  let best: string | undefined;
  let bestScore = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    const starts = wanted.length >= 3 && known.startsWith(wanted);
    const limit = Math.min(tolerance(wanted.length), Math.max(1, known.length - 1));
    const compared = known.slice(0, LONGEST);
    // Words whose lengths differ by more than the limit need more edits than that: most need no comparison.
    if (!starts && Math.abs(compared.length - wanted.length) > limit) continue;
    const edits = starts ? 0.5 : editDistance(wanted, compared);
    if (edits <= limit && edits < bestScore) {
      best = candidate;
      bestScore = edits;
    }
  }
  return best;
}
