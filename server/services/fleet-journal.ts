import type { Log } from '@/server/ports/log';
import type { FleetEvent, HealthReport } from '@/server/ports/mcp-fleet';
import type { ServerHistory } from '@/server/ports/server-store';
import type { StreamRange } from '@/server/ports/stream-store';

/** A failure to connect that repeats within this time is written down once. */
const REPEATED_MS = 60_000;

/** Writes what happens in the fleet to the log and to the history. Nobody waits for it but `flush`. */
export class FleetJournal {
  /** The last write of each server that has one under way, which comes after those before. */
  private readonly writes = new Map<string, Promise<void>>();
  private readonly failures = new Map<string, number>();

  constructor(
    private readonly deps: {
      history: ServerHistory;
      log: Log;
      /** Told of events that watchers can read in the stream now. */
      published: (range: StreamRange) => void;
    },
  ) {}

  /** Never throws. */
  note(event: FleetEvent): void {
    const { log } = this.deps;
    const { organizationId, server, at, type, ...facts } = event;
    if (event.type === 'health') {
      log.debug('server_health', { server, ...event.report });
      this.write(event, () => this.probed(organizationId, server, event.report));
      return;
    }
    const isWarning =
      type === 'connect-failed' ||
      type === 'breaker-opened' ||
      type === 'tools-changed' ||
      type === 'tools-suspicious';
    log[isWarning ? 'warn' : 'info']('server_event', {
      organization_id: organizationId,
      server,
      type,
      ...facts,
    });
    if (event.type === 'connect-failed') {
      const key = `${organizationId}\u0000${server}\u0000${event.code}`;
      if (at - (this.failures.get(key) ?? 0) < REPEATED_MS) return;
      this.failures.set(key, at);
    }
    this.write(event, () => this.happened(event));
  }

  /** Resolves when everything noted so far was written (or was given up). */
  async flush(): Promise<void> {
    await Promise.all(this.writes.values());
  }

  /** A probe is history; that it found another state than the one before is news. */
  private async probed(organizationId: string, server: string, report: HealthReport): Promise<void> {
    const { history } = this.deps;
    const [before] = await history.probes(organizationId, server, 1);
    await history.addProbe(organizationId, server, report);
    if (before?.state === report.state) return;
    const { at, state: to, detail } = report;
    const from = before?.state ?? null;
    await this.happened({ type: 'state-changed', organizationId, server, at, from, to, detail });
  }

  private async happened(event: FleetEvent): Promise<void> {
    const { history, published } = this.deps;
    await history.addEvent(event);
    const range = await history.number(event.organizationId);
    if (range !== null) published(range);
  }

  /** One after the other for each server: of two probes at once, the second must find the state that the first one wrote. */
  private write({ organizationId, server }: FleetEvent, work: () => Promise<void>): void {
    const key = `${organizationId}\u0000${server}`;
    const before = this.writes.get(key) ?? Promise.resolve();
    const settled = before.then(work).catch((error: unknown) => {
      this.deps.log.warn('server_history', { status: 'failed', error: String(error) });
    });
    this.writes.set(key, settled);
    void settled.finally(() => {
      if (this.writes.get(key) === settled) this.writes.delete(key);
    });
  }
}
