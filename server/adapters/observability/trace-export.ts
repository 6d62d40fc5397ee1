import { hostname } from 'node:os';
import type { Resource } from '@opentelemetry/resources';
import type { Sampler, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Otel } from '@/server/adapters/observability/otel';
import type { Log } from '@/server/ports/log';
import type { Telemetry } from '@/server/ports/telemetry';

/** Where spans go and what they say about us. Names and meanings are those of the OpenTelemetry specification. */
export interface TraceSettings {
  /** Where spans are sent, path included. */
  url: string;
  /** Headers as `key=value,key=value`, percent-encoded. */
  headers: string;
  serviceName: string;
  /** As `headers`. */
  resourceAttributes: string;
}

/** Spans that wait to be sent. What comes when it is full is dropped: a dead collector costs memory once, then nothing. */
const QUEUE = 2_048;
const BATCH = 512;
const EVERY_MS = 1_000;
/** The same complaint about the collector is logged this often at most. */
const COMPLAIN_MS = 60_000;

/** Pairs of `key=value,key=value`; what is none is left out. */
export function pairs(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at <= 0) continue;
    const value = part.slice(at + 1).trim();
    try {
      found[part.slice(0, at).trim()] = decodeURIComponent(value);
    } catch {
      found[part.slice(0, at).trim()] = value;
    }
  }
  return found;
}

/**
 * The sampler of that name; `parentbased_always_on` for a name it does not know.
 *
 * @param arg share of traces for the ratio samplers; '' means all
 */
export function samplerOf({ sdk }: Otel, name: string, arg: string): Sampler {
  const { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, TraceIdRatioBasedSampler } = sdk;
  const ratio = new TraceIdRatioBasedSampler(arg === '' ? 1 : Number(arg));
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return ratio;
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: ratio });
    default:
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  }
}

/** What the spans say about the process that made them. */
export function resourceOf(
  { resources }: Otel,
  settings: TraceSettings,
  of: { version: string; instanceId: string },
): Resource {
  const given = pairs(settings.resourceAttributes);
  const name = settings.serviceName || given['service.name'] || 'openconductor';
  return resources.defaultResource().merge(
    resources.resourceFromAttributes({
      'service.version': of.version,
      'service.instance.id': of.instanceId,
      'host.name': hostname(),
      'process.pid': process.pid,
      ...given,
      'service.name': name,
    }),
  );
}

/** Sends ended spans in batches as OTLP over HTTP (JSON) and counts what became of them. */
export function createSpanProcessor(
  { sdk, otlp }: Otel,
  settings: TraceSettings,
  deps: { log: Log; telemetry: Telemetry; now: () => number },
): SpanProcessor {
  const { log, telemetry, now } = deps;
  let quietUntil = Number.NEGATIVE_INFINITY;
  const complain = (error: Error | undefined) => {
    if (now() < quietUntil) return;
    quietUntil = now() + COMPLAIN_MS;
    log.warn('trace_export', { status: 'failed', error: error?.message });
  };
  const exporter = new otlp.OTLPTraceExporter({
    url: settings.url,
    headers: pairs(settings.headers),
  });
  const counting: SpanExporter = {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        telemetry.spansExported(spans.length, result.code === 0);
        if (result.code !== 0) complain(result.error);
        done(result);
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
  return new sdk.BatchSpanProcessor({
    exporter: counting,
    maxQueueSize: QUEUE,
    maxExportBatchSize: BATCH,
    scheduledDelayMillis: EVERY_MS,
  });
}
