import type { Clock } from '@/lib/shared/clock';
import type { Log } from '@/server/ports/log';
import type { ManagedMcpFleet, ServerRegistry } from '@/server/ports/mcp-fleet';
import type { ServerHistory } from '@/server/ports/server-store';

/** Probes at once: a round of many servers must not crowd out the calls of runs. */
const AT_ONCE = 4;
/** History older than this goes. */
const KEEP_MS = 30 * 24 * 3_600_000;
/** A probe of another process this much younger than the interval counts as this round's. */
const RECENT_SHARE = 0.8;

export interface HealthProbeDeps {
  fleet: ManagedMcpFleet;
  servers: ServerRegistry;
  history: ServerHistory;
  /** Organisations whose servers are probed. */
  organizations: () => Promise<string[]>;
  clock: Clock;
  log: Log;
  /** Milliseconds between rounds; 0: never. */
  intervalMs: number;
}

/**
 * Asks every remote server from time to time whether it is well. Servers run as child processes are not started just to be
 * asked: their calls tell, and `server test` asks one on demand. Who writes the reports down is the fleet's listener.
 */
export class HealthProbe {
  private cancel: (() => void) | undefined;
  private round: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly deps: HealthProbeDeps) {}

  start(): void {
    if (this.deps.intervalMs > 0) this.next();
  }

  /** Ends after the probes under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    await this.round;
  }

  private next(): void {
    if (this.stopped) return;
    const { clock, intervalMs, log } = this.deps;
    this.cancel = clock.at(clock.now() + intervalMs, () => {
      this.round = this.probeAll()
        .catch((error: unknown) => log.warn('health_probe', { status: 'failed', error: String(error) }))
        .finally(() => this.next());
    });
  }

  /** One round over all organisations. */
  async probeAll(): Promise<void> {
    const { servers, history, clock, organizations } = this.deps;
    for (const organizationId of await organizations()) {
      const named = await servers.list(organizationId);
      const remote = named.filter(({ config }) => config.type !== 'stdio' && config.disabled !== true);
      const waiting = remote.map(({ name }) => name);
      const one = async (): Promise<void> => {
        for (let name = waiting.shift(); name !== undefined && !this.stopped; name = waiting.shift())
          await this.probe(organizationId, name);
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, one));
    }
    await history.forget(clock.now() - KEEP_MS);
  }

  private async probe(organizationId: string, server: string): Promise<void> {
    const { fleet, history, clock, intervalMs, log } = this.deps;
    const [newest] = await history.probes(organizationId, server, 1);
    if (newest !== undefined && newest.at > clock.now() - intervalMs * RECENT_SHARE) return;
    try {
      await fleet.probe(organizationId, server);
    } catch (error) {
      // Removed since the list was read.
      log.debug('health_probe', { server, error: String(error) });
    }
  }
}
