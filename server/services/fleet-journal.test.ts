import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { FleetEvent, HealthReport, HealthState } from '@/server/ports/mcp-fleet';
import { FleetJournal } from '@/server/services/fleet-journal';

const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => log };

describe('FleetJournal', () => {
  /** A journal over a history in memory whose every access takes a moment. */
  const setUp = () => {
    const probes: HealthReport[] = [];
    const told: string[] = [];
    let failures = 0;
    const journal = new FleetJournal({
      history: {
        addProbe: async (_organization, _server, report) => {
          await delay(2);
          if (failures-- > 0) throw new Error('away');
          probes.push(report);
        },
        probes: async () => {
          const newest = probes.slice(-1);
          await delay(2);
          return newest;
        },
        addEvent: async (event) => {
          await delay(2);
          told.push(event.type === 'state-changed' ? `${event.from} -> ${event.to}` : event.type);
        },
        number: async () => null,
        events: async () => [],
        forget: async () => 0,
      },
      log,
      published: nothing,
    });
    const probed = (state: HealthState, at: number) => {
      const report: HealthReport = { state, at, latencyMs: 1, protocolVersion: null, detail: null };
      journal.note({ type: 'health', organizationId: 'o', server: 's', at, report } as FleetEvent);
    };
    const fail = (times: number) => {
      failures = times;
    };
    return { journal, probed, told, fail };
  };

  it('two probes at once that find the same change tell of it once', async () => {
    const { journal, probed, told } = setUp();
    probed('OPEN', 1);
    probed('OPEN', 2);
    await journal.flush();
    probed('UNREACHABLE', 3);
    probed('UNREACHABLE', 4);
    await journal.flush();
    expect(told).toEqual(['null -> OPEN', 'OPEN -> UNREACHABLE']);
  });

  it('a write that fails does not hold up the next one', async () => {
    const { journal, probed, told, fail } = setUp();
    fail(1);
    probed('OPEN', 1);
    probed('OPEN', 2);
    await journal.flush();
    expect(told).toEqual(['null -> OPEN']);
  });
});
