import type { Log } from '@/server/ports/log';
import type { FleetEvent } from '@/server/ports/mcp-fleet';
import type { ServerHistory } from '@/server/ports/server-store';

/** A failure to connect that repeats within this time is written down once. */
const REPEATED_MS = 60_000;

/** Writes what happens in the fleet to the log and to the history. Nobody waits for it but `flush`. */
export class FleetJournal {
  private readonly writes = new Set<Promise<void>>();
  private readonly failures = new Map<string, number>();

  constructor(private readonly deps: { history: ServerHistory; log: Log }) {}

  /** Never throws. */
  note(event: FleetEvent): void {
    const { history, log } = this.deps;
    const { organizationId, server, at, type, ...facts } = event;
    if (event.type === 'health') {
      log.debug('server_health', { server, ...event.report });
      this.write(history.addProbe(organizationId, server, event.report));
      return;
    }
    const isWarning = type === 'connect-failed' || type === 'tools-changed' || type === 'tools-suspicious';
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
    this.write(history.addEvent(event));
  }

  /** Resolves when everything noted so far was written (or was given up). */
  async flush(): Promise<void> {
    await Promise.all(this.writes);
  }

  private write(promise: Promise<void>): void {
    const settled = promise.catch((error: unknown) => {
      this.deps.log.warn('server_history', { status: 'failed', error: String(error) });
    });
    this.writes.add(settled);
    void settled.finally(() => this.writes.delete(settled));
  }
}
