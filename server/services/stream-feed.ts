import type { Actor } from '@/lib/protocol/actor';
import type { Topic } from '@/lib/protocol/api';
import { AppError, isAppError } from '@/lib/protocol/errors';
import type { StreamEvent } from '@/lib/protocol/event';
import { requirePermission, TOPIC_PERMISSIONS } from '@/lib/protocol/permissions';
import type { Clock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';
import type { StreamStore } from '@/server/ports/stream-store';
import { waitForHint } from '@/server/services/wait-for-hint';

export interface StreamFeedDeps {
  store: StreamStore;
  bus: Bus;
  clock: Clock;
  /** Messages carry { organizationId, topic }. */
  hintChannel: string;
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
   * Throws STREAM_TRIMMED when the one behind `after` is gone: what was missed can only be read from the lists. From 0 on
   * the stream begins with the first entry that is kept.
   */
  async read(
    actor: Actor,
    topic: Topic,
    after: number,
    limit: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<StreamEvent[]> {
    requirePermission(actor, TOPIC_PERMISSIONS[topic]);
    const { organizationId } = actor;
    const isMine = (told: unknown) => {
      const range = told as { organizationId?: string; topic?: string };
      return range.organizationId === organizationId && range.topic === topic;
    };
    const items = await waitForHint(this.deps, isMine, waitMs, signal, () =>
      this.deps.store.read(organizationId, topic, after, limit),
    );
    if (after === 0 || items[0]?.streamSeq === after + 1 || signal.aborted) return items;
    const resumeAfter = await this.deps.store.trimmed(organizationId, topic, after);
    if (resumeAfter !== null) throw trimmed(after, resumeAfter);
    return items;
  }
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
