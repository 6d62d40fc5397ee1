import type pg from 'pg';
import type { Prisma, PrismaClient } from '@/server/adapters/postgres/generated/client';
import { inOrganization } from '@/server/adapters/postgres/prisma';
import { numberServerEvents } from '@/server/adapters/postgres/server-stream';
import type { FleetEvent, HealthState } from '@/server/ports/mcp-fleet';
import type { ServerHistory } from '@/server/ports/server-store';

/**
 * History of servers through Prisma.
 *
 * @param prisma a client that connects as oc_app
 * @param engine connections as oc_engine, for the removal of what is old and for the stream
 */
export function createServerHistory(prisma: PrismaClient, engine: pg.Pool): ServerHistory {
  return {
    async addProbe(organizationId, server, { state, at, latencyMs, protocolVersion, detail }) {
      const data = { organizationId, server, at: new Date(at), state, latencyMs, protocolVersion, detail };
      await inOrganization(prisma, organizationId, (tx) => tx.serverHealth.createMany({ data: [data] }));
    },

    async probes(organizationId, server, limit) {
      const rows = await inOrganization(prisma, organizationId, (tx) =>
        tx.serverHealth.findMany({
          where: { organizationId, server },
          orderBy: { at: 'desc' },
          take: limit,
        }),
      );
      return rows.reverse().map(({ state, at, latencyMs, protocolVersion, detail }) => ({
        state: state as HealthState,
        at: at.getTime(),
        latencyMs,
        protocolVersion,
        detail,
      }));
    },

    async addEvent({ organizationId, server, at, type, ...data }) {
      const row = {
        organizationId,
        server,
        at: new Date(at),
        type,
        data: data as unknown as Prisma.InputJsonValue,
      };
      await inOrganization(prisma, organizationId, (tx) => tx.serverEvent.createMany({ data: [row] }));
    },

    number: (organizationId) => numberServerEvents(engine, organizationId),

    async events(organizationId, { server, limit, before }) {
      const rows = await inOrganization(prisma, organizationId, (tx) =>
        tx.serverEvent.findMany({
          where: {
            organizationId,
            ...(server === undefined ? {} : { server }),
            ...(before === undefined ? {} : { id: { lt: before } }),
          },
          orderBy: { id: 'desc' },
          take: limit,
        }),
      );
      return rows.map((row) => ({
        id: Number(row.id),
        server: row.server,
        at: row.at.getTime(),
        type: row.type as FleetEvent['type'],
        data: row.data as object,
      }));
    },

    async forget(before) {
      const at = [new Date(before)];
      const probes = await engine.query('DELETE FROM server_health WHERE at < $1', at);
      const events = await engine.query('DELETE FROM server_event WHERE at < $1', at);
      return (probes.rowCount ?? 0) + (events.rowCount ?? 0);
    },
  };
}
