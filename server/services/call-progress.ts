import type { NodeProgress, NodeView } from '@/lib/protocol/run';
import type { ActivityProgress } from '@/server/ports/activity';
import type { Bus } from '@/server/ports/bus';

/** More calls than this are not remembered: the ones that were heard of longest ago are dropped. */
const MAX_CALLS = 10_000;
/** The start of a call that may be repeated is not recorded: its node stays `scheduled`. */
const UNDER_WAY: ReadonlySet<NodeView['status']> = new Set(['scheduled', 'running']);

/**
 * The latest progress of calls, as their servers told it. Volatile like the messages themselves: it is what this process has
 * heard (of calls of its own, and over Redis of all), and gone with it.
 */
export class CallProgress {
  private readonly latest = new Map<string, NodeProgress>();

  constructor(bus: Bus, channel: string) {
    bus.subscribe(channel, (facts) => this.hear(facts as ActivityProgress));
  }

  /** Adds what is known to the nodes whose calls are under way. */
  addTo(runId: string, nodes: readonly NodeView[]): NodeView[] {
    return nodes.map((node) => {
      const progress = UNDER_WAY.has(node.status) ? this.latest.get(`${runId} ${node.path}`) : undefined;
      const isOfThisCall = progress !== undefined && progress.at >= (node.startedAt ?? '');
      return isOfThisCall ? { ...node, progress } : node;
    });
  }

  private hear({ runId, nodePath, at, progress, total, message }: ActivityProgress): void {
    const key = `${runId} ${nodePath}`;
    this.latest.delete(key);
    this.latest.set(key, {
      at: new Date(at).toISOString(),
      progress,
      ...(total === undefined ? {} : { total }),
      ...(message === undefined ? {} : { message }),
    });
    if (this.latest.size <= MAX_CALLS) return;
    const [oldest] = this.latest.keys();
    if (oldest !== undefined) this.latest.delete(oldest);
  }
}
