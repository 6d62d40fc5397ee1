import type { RunSummary } from '@/lib/protocol/run';
import { RUN_STATUSES, type RunStatus } from '@/lib/protocol/run';
import { RUN_LOOKS } from '@/lib/theme/status';

/** What the list of runs shows: a status, and words that all must occur. */
export interface RunsFilter {
  status: RunStatus | null;
  words: readonly string[];
}

/**
 * Reads the filter line: words are looked for in the workflow, its id and the run id; `status:failed` (or the
 * code, `status:FAIL`) names a status.
 */
export function parseFilter(text: string): RunsFilter {
  let status: RunStatus | null = null;
  const words: string[] = [];
  for (const word of text.toLowerCase().split(/\s+/)) {
    const named = word.startsWith('status:') ? statusNamed(word.slice('status:'.length)) : undefined;
    if (named !== undefined) status = named;
    else if (word !== '') words.push(word);
  }
  return { status, words };
}

/** The status with this name or code. */
function statusNamed(text: string): RunStatus | undefined {
  return RUN_STATUSES.find((status) => status === text || RUN_LOOKS[status].code.toLowerCase() === text);
}

/** The filter line with another status in it; null takes the status out. */
export function withStatus(text: string, status: RunStatus | null): string {
  const rest = text.split(/\s+/).filter((word) => word !== '' && !word.toLowerCase().startsWith('status:'));
  return [...(status === null ? [] : [`status:${status}`]), ...rest].join(' ');
}

/** The filter as a test of one run. */
export function matcher({ status, words }: RunsFilter): (run: RunSummary) => boolean {
  return (run) => {
    if (status !== null && run.status !== status) return false;
    if (words.length === 0) return true;
    const text = `${run.workflow} ${run.workflowId} ${run.runId} ${run.failure?.code ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}
