import { createServer, type ServerResponse } from 'node:http';
import { SpanKind, TraceFlags } from '@opentelemetry/api';
import { afterEach, expect, it } from 'vitest';
import { OpenSpan } from '@/server/adapters/observability/open-span';
import { loadOtel } from '@/server/adapters/observability/otel';
import {
  createSpanProcessor,
  pairs,
  resourceOf,
  samplerOf,
} from '@/server/adapters/observability/trace-export';
import type { Log } from '@/server/ports/log';
import type { Telemetry } from '@/server/ports/telemetry';

const otel = await loadOtel();
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const settings = { url: '', headers: '', serviceName: '', resourceAttributes: '' };
const resource = resourceOf(otel, settings, { version: '1', instanceId: 'i' });

function span(): OpenSpan {
  const made = new OpenSpan(
    {
      name: 'x',
      kind: SpanKind.INTERNAL,
      context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: TraceFlags.SAMPLED },
      parent: undefined,
      at: 0,
      attributes: {},
    },
    resource,
  );
  made.close(1);
  return made;
}

it('reads pairs as the specification writes them, and leaves out what is none', () => {
  expect(pairs('a=1, b = x%3Dy ,c,=d,e=%zz,f=g=h')).toEqual({ a: '1', b: 'x=y', e: '%zz', f: 'g=h' });
  expect(pairs('')).toEqual({});
});

it('names the service by its own setting, then by the attributes, then as the product', () => {
  const of = (serviceName: string, resourceAttributes: string) =>
    resourceOf(otel, { ...settings, serviceName, resourceAttributes }, { version: '1', instanceId: 'i' })
      .attributes;
  expect(of('', '')).toMatchObject({ 'service.name': 'openconductor', 'service.version': '1' });
  expect(of('', 'service.name=b,team=x')).toMatchObject({ 'service.name': 'b', team: 'x' });
  expect(of('a', 'service.name=b')).toMatchObject({ 'service.name': 'a' });
});

it.each([
  ['always_on', '', 'AlwaysOnSampler'],
  ['always_off', '', 'AlwaysOffSampler'],
  ['traceidratio', '0.25', 'TraceIdRatioBased{0.25}'],
  ['traceidratio', '', 'TraceIdRatioBased{1}'],
  ['parentbased_always_on', '', 'ParentBased{root=AlwaysOnSampler'],
  ['parentbased_always_off', '', 'ParentBased{root=AlwaysOffSampler'],
  ['parentbased_traceidratio', '0', 'ParentBased{root=TraceIdRatioBased{0}'],
])('the sampler %s %s is %s', (name, arg, text) => {
  expect(samplerOf(otel, name, arg).toString()).toContain(text);
});

it('keeps a bounded number of spans for a collector that does not answer, and counts what became of them', async () => {
  const held: ServerResponse[] = [];
  let arrived: () => void = () => undefined;
  const first = new Promise<void>((done) => {
    arrived = done;
  });
  let received = 0;
  let open = false;
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    received += JSON.parse(text).resourceSpans[0].scopeSpans[0].spans.length;
    arrived();
    if (open) response.end('{}');
    else held.push(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => server.close());
  const exported: number[] = [];
  const processor = createSpanProcessor(
    otel,
    { ...settings, url: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1/traces` },
    {
      log: {} as Log,
      telemetry: {
        spansExported: (count, ok) => ok && exported.push(count),
      } as Partial<Telemetry> as Telemetry,
      now: () => 0,
    },
  );
  for (let i = 0; i < 10_000; i++) processor.onEnd(span());
  await first;
  for (let i = 0; i < 10_000; i++) processor.onEnd(span());
  open = true;
  for (const response of held) response.end('{}');
  await processor.shutdown();
  expect(received).toBeGreaterThanOrEqual(512);
  expect(received).toBeLessThanOrEqual(2_048 + 512);
  expect(exported.reduce((sum, count) => sum + count, 0)).toBe(received);
});

it('logs a collector that refuses once a minute, not once a batch', async () => {
  const server = createServer((_request, response) => response.writeHead(400).end());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => server.close());
  const lines: string[] = [];
  let now = 0;
  const log = { warn: (operation: string) => lines.push(operation) } as Partial<Log> as Log;
  let failed = 0;
  const processor = createSpanProcessor(
    otel,
    { ...settings, url: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1/traces` },
    {
      log,
      telemetry: {
        spansExported: (count, ok) => {
          if (!ok) failed += count;
        },
      } as Partial<Telemetry> as Telemetry,
      now: () => now,
    },
  );
  const lose = async () => {
    processor.onEnd(span());
    await processor.forceFlush().catch(() => undefined);
  };
  await lose();
  await lose();
  expect(lines).toEqual(['trace_export']);
  now += 60_000;
  await lose();
  expect(lines).toEqual(['trace_export', 'trace_export']);
  expect(failed).toBe(3);
  await processor.shutdown();
});
