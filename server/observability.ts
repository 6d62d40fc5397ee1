import { randomUUID } from 'node:crypto';
import { loadOtel } from '@/server/adapters/observability/otel';
import type { RegisterGauge, Sample } from '@/server/adapters/observability/prometheus';
import { createSpanProcessor, resourceOf, samplerOf } from '@/server/adapters/observability/trace-export';
import { TraceScope } from '@/server/adapters/observability/trace-scope';
import { Tracer } from '@/server/adapters/observability/tracing';
import { type Backlog, createBacklogReader } from '@/server/adapters/postgres/backlog';
import type { Pool } from '@/server/adapters/postgres/pool';
import type { Config } from '@/server/config/config';
import type { Log } from '@/server/ports/log';
import type { ManagedMcpFleet } from '@/server/ports/mcp-fleet';
import type { Telemetry } from '@/server/ports/telemetry';
import type { Tracing } from '@/server/ports/tracing';

/** How long the end of the process waits for a collector that does not answer. */
const SHUTDOWN_MS = 2_000;
/** Servers whose breakers are told: each name is a time series. */
const MAX_SERVERS = 100;
const BREAKER_VALUE = { closed: 0, 'half-open': 1, open: 2 } as const;

export interface TracingDeps {
  config: Config;
  version: string;
  log: Log;
  telemetry: Telemetry;
  now: () => number;
  scope: TraceScope | undefined;
}

/**
 * Part of the composition root: tracing as the settings say; undefined while it is off.
 */
export async function createTracing(deps: TracingDeps): Promise<Tracing | undefined> {
  const { config, version, log, telemetry, now } = deps;
  const url = tracesUrl(config);
  if (url === undefined) return undefined;
  const otel = await loadOtel();
  const settings = {
    url,
    headers: [config.otlpHeaders, config.otlpTracesHeaders].filter((text) => text !== '').join(','),
    serviceName: config.otelServiceName,
    resourceAttributes: config.otelResourceAttributes,
  };
  log.info('tracing', { status: 'on', url: new URL(url).origin, sampler: config.otelTracesSampler });
  return new Tracer({
    otel,
    processor: createSpanProcessor(otel, settings, { log, telemetry, now }),
    sampler: samplerOf(otel, config.otelTracesSampler, config.otelTracesSamplerArg),
    resource: resourceOf(otel, settings, { version, instanceId: randomUUID() }),
    scope: deps.scope ?? new TraceScope(),
    now,
    shutdownMs: SHUTDOWN_MS,
  });
}

/** Where spans go, by the rules of the specification: the address for traces as it is, else a path below the common one. */
function tracesUrl(config: Config): string | undefined {
  if (config.otelSdkDisabled === 'true') return undefined;
  if (config.otlpTracesEndpoint !== undefined) return config.otlpTracesEndpoint;
  return config.otlpEndpoint === undefined
    ? undefined
    : `${config.otlpEndpoint.replace(/\/+$/, '')}/v1/traces`;
}

/** Registers what is only read when somebody scrapes: the state of the database, of the pools, of the servers. */
export function registerGauges(
  gauge: RegisterGauge,
  of: {
    version: string;
    /** By name; all of them are watched, `watch` is asked. */
    pools: Readonly<Record<string, Pool>> & { watch: Pool };
    fleet: Pick<ManagedMcpFleet, 'breakers'>;
  },
): void {
  gauge('conductor_build_info', () => [[{ version: of.version }, 1]]);
  const backlog = createBacklogReader(of.pools.watch, () => performance.now());
  const read = (field: keyof Backlog) => async () => (await backlog())[field];
  gauge('conductor_inbox_depth', read('inboxDepth'));
  gauge('conductor_inbox_oldest_seconds', read('inboxOldest'));
  gauge('conductor_relay_backlog_events', read('relayEvents'));
  gauge('conductor_relay_lag_seconds', read('relayOldest'));
  gauge('conductor_unowned_shards', read('unownedShards'));
  gauge('conductor_engine_processes', read('processes'));
  gauge('conductor_database_up', () =>
    backlog().then(
      () => 1,
      () => 0,
    ),
  );
  gauge('conductor_database_connections', () =>
    Object.entries(of.pools).flatMap(([pool, { totalCount, idleCount, waitingCount }]): Sample[] => [
      [{ pool, state: 'busy' }, totalCount - idleCount],
      [{ pool, state: 'idle' }, idleCount],
      [{ pool, state: 'waiting' }, waitingCount],
    ]),
  );
  gauge('conductor_mcp_breaker_state', () => {
    // Organisations may use one name for different servers: the worst of them is told.
    const worst = new Map<string, number>();
    for (const { server, state } of of.fleet.breakers())
      worst.set(server, Math.max(worst.get(server) ?? 0, BREAKER_VALUE[state]));
    return [...worst].slice(0, MAX_SERVERS).map(([server, value]): Sample => [{ server }, value]);
  });
}
