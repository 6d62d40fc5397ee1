import type { Actor } from '@/lib/protocol/actor';
import type { Topic } from '@/lib/protocol/api';
import type { StreamEvent } from '@/lib/protocol/event';
import type { Clock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';
import type { StreamStore } from '@/server/ports/stream-store';
import { waitForHint } from '@/server/services/wait-for-hint';
import { requireRole } from '@/server/services/workflow-service';

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
    requireRole(actor, 'viewer');
    return this.deps.store.head(actor.organizationId, topic);
  }

  /** Entries behind `after`. With none there, waits up to `waitMs` for the first; empty when none came or `signal` fired. */
  async read(
    actor: Actor,
    topic: Topic,
    after: number,
    limit: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<StreamEvent[]> {
    requireRole(actor, 'viewer');
    const { organizationId } = actor;
    const isMine = (told: unknown) => {
      const range = told as { organizationId?: string; topic?: string };
      return range.organizationId === organizationId && range.topic === topic;
    };
    return waitForHint(this.deps, isMine, waitMs, signal, () =>
      this.deps.store.read(organizationId, topic, after, limit),
    );
  }
}
