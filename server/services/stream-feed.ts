import type { Actor } from '@/lib/protocol/actor';
import type { Topic } from '@/lib/protocol/api';
import { AppError, isAppError } from '@/lib/protocol/errors';
import type { StreamEvent } from '@/lib/protocol/event';
import { requirePermission, TOPIC_PERMISSIONS } from '@/lib/protocol/permissions';
import type { Clock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';
import type { StreamStore } from '@/server/ports/stream-store';
import type { AccessService } from '@/server/services/access-service';
import { waitForHint } from '@/server/services/wait-for-hint';

export interface StreamFeedDeps {
  store: StreamStore;
  bus: Bus;
  clock: Clock;
  /** Messages carry { organizationId, topic }. */
  hintChannel: string;
  access: Pick<AccessService, 'hiddenWorkflows'>;
}

/** Reads of an organisation's numbered stream, waiting for what is to come. */
export class StreamFeed {
  constructor(private readonly deps: StreamFeedDeps) {}

  /** The newest number of the stream. */
  head(actor: Actor, topic: Topic): Promise<number> {
    requirePermission(actor, TOPIC_PERMISSIONS[topic]);
    return this.deps.store.head(actor.organizationId, topic);
  }

  /**
   * Entries behind `after`. With none there, waits up to `waitMs` for the first; empty when none came or `signal` fired.
   * Throws STREAM_TRIMMED when the one behind `after` is gone: what was missed can only be read from the lists. A page ends before
   * a number that is gone, so that the next reading begins there and says so. From 0 on the stream begins with the first entry that
   * is kept. Entries of workflows that the actor does not see are left out; `passed` is told how far was looked, so that a reader
   * that goes on need not pass them again, and whether it was a number that is gone that ended the page.
   */
  async read(
    actor: Actor,
    topic: Topic,
    after: number,
    limit: number,
    waitMs: number,
    signal: AbortSignal,
    passed: (streamSeq: number, isCut: boolean) => void = () => {},
  ): Promise<StreamEvent[]> {
    requirePermission(actor, TOPIC_PERMISSIONS[topic]);
    const { organizationId } = actor;
    const isMine = (told: unknown) => {
      const range = told as { organizationId?: string; topic?: string };
      return range.organizationId === organizationId && range.topic === topic;
    };
    const until = this.deps.clock.now() + waitMs;
    const items: StreamEvent[] = [];
    for (let from = after; ; ) {
      const rest = items.length > 0 ? 0 : Math.max(0, until - this.deps.clock.now());
      const found = await waitForHint(this.deps, isMine, rest, signal, () =>
        this.deps.store.read(organizationId, topic, from, limit),
      );
      if (from > 0 && found[0]?.streamSeq !== from + 1 && !signal.aborted) {
        const resumeAfter = await this.deps.store.trimmed(organizationId, topic, from);
        if (resumeAfter !== null) {
          if (items.length === 0) throw trimmed(from, resumeAfter);
          passed(from, true);
          return items;
        }
      }
      const page = topic === 'runs' ? unbroken(found) : found;
      const hidden = topic === 'runs' ? await this.deps.access.hiddenWorkflows(actor) : [];
      for (const entry of page) {
        if (hidden.includes(entry.workflow)) continue;
        items.push(entry);
        if (items.length === limit) break;
      }
      from = page.at(-1)?.streamSeq ?? from;
      passed(
        items.length === limit ? (items.at(-1)?.streamSeq ?? from) : from,
        items.length < limit && page.length < found.length,
      );
      // A page that was hidden in part is filled up; one that was hidden as a whole is no answer while there is time to wait.
      const isEnd = page.length < limit && (items.length > 0 || this.deps.clock.now() >= until);
      if (items.length === limit || isEnd || page.length === 0 || signal.aborted) return items;
    }
  }
}

/** Entries up to the first number that is not the next one; only the stream of runs loses entries. */
function unbroken(entries: readonly StreamEvent[]): readonly StreamEvent[] {
  const [first] = entries;
  const end = entries.findIndex(({ streamSeq }, i) => streamSeq !== (first?.streamSeq ?? 0) + i);
  return end === -1 ? entries : entries.slice(0, end);
}

function trimmed(after: number, resumeAfter: number): AppError {
  const message = `Entries ${after + 1} to ${resumeAfter} are not kept any more; the next one is behind ${resumeAfter}.`;
  const details = [{ path: '/after', message, resumeAfter }];
  return new AppError('STREAM_TRIMMED', message, { path: '/after', details });
}

/** Behind which number reading goes on, when that is what the error says; else null. */
export function resumeAfterOf(error: unknown): number | null {
  if (!isAppError(error) || error.code !== 'STREAM_TRIMMED') return null;
  return (error.details as { resumeAfter: number }[])[0]?.resumeAfter ?? null;
}
