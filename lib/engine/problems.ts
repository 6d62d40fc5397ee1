import type { DefinitionProblem } from '@/lib/protocol/api';

/** Words for which the nearest known one is looked for: each is compared with all that are known, which can be thousands. */
const MAX_GUESSES = 100;

/** Collects what is wrong with a definition. */
export class Problems {
  readonly list: DefinitionProblem[] = [];
  private guesses = MAX_GUESSES;

  /** Something that would make the workflow fail or mean something else than it seems: blocks publishing. */
  error(code: string, nodeId: string | null, pointer: string, message: string, fix: string): void {
    this.list.push({ severity: 'error', code, nodeId, pointer, message, fix });
  }

  /** Something that works but is likely not meant. */
  warn(code: string, nodeId: string | null, pointer: string, message: string, fix: string): void {
    this.list.push({ severity: 'warning', code, nodeId, pointer, message, fix });
  }

  /** A fix that names the known word nearest to a misspelt one, or `otherwise` when none is near or too many were misspelt. */
  didYouMean(word: string, known: () => Iterable<string>, otherwise: string): string {
    const near = this.guesses-- > 0 ? nearest(word, known()) : null;
    return near === null ? otherwise : `Did you mean "${near}"?`;
  }

  get hasErrors(): boolean {
    return this.list.some((problem) => problem.severity === 'error');
  }
}

/** The known word nearest to a misspelt one, or null when none is near. */
function nearest(word: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_none, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? limit;
}
