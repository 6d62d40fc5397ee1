import { ENGINE_FLAGS } from '@/lib/engine/flags';
import { EVENT_CATALOGUE } from '@/lib/protocol/events';

const FLAGS = new Set<unknown>(ENGINE_FLAGS);

/**
 * What in a history this build does not know, or null. Such a run was moved on by a newer process: it is left alone until a
 * newer one holds its shard, for folding it here would give a wrong state, and failing it would lose it.
 */
export function needsNewer(history: readonly { type: string; data: object }[]): string | null {
  for (const { type, data } of history) {
    if (!Object.hasOwn(EVENT_CATALOGUE, type)) return `event ${type}`;
    if (type !== 'WORKFLOW_EXECUTION_STARTED') continue;
    const flags = (data as { flags?: readonly unknown[] }).flags ?? [];
    const unknown = flags.find((flag) => !FLAGS.has(flag));
    if (unknown !== undefined) return `behaviour ${String(unknown)}`;
  }
  return null;
}
