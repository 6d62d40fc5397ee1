import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import type { RunTrace } from '@/lib/protocol/events-run';
import { loadOtel } from '@/server/adapters/observability/otel';
import { samplerOf } from '@/server/adapters/observability/trace-export';
import { TraceScope } from '@/server/adapters/observability/trace-scope';
import { Tracer } from '@/server/adapters/observability/tracing';

const otel = await loadOtel();
const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const run = {
  runId: 'r1',
  organizationId: 'o1',
  workflowId: 'w1',
  workflow: 'demo',
  version: 1,
  startedAt: 1_000_000,
  closedAt: 1_002_500.25,
};

function setUp(sampler = samplerOf(otel, 'parentbased_always_on', '')) {
  const ended: ReadableSpan[] = [];
  const scope = new TraceScope();
  let now = 1_000_000;
  const tracer = new Tracer({
    otel,
    processor: { onEnd: (span) => ended.push(span), shutdown: async () => undefined },
    sampler,
    resource: otel.resources.resourceFromAttributes({ 'service.name': 'test' }),
    scope,
    now: () => now++,
    shutdownMs: 50,
  });
  return { tracer, ended, scope };
}

const get = (headers: Record<string, string> = {}) =>
  new Request('http://localhost:3000/api/v1/runs?secret=1', { headers });

describe('Tracer', () => {
  it('gives a run that no request starts a trace of its own, whose span has no parent', () => {
    const { tracer, ended } = setUp();
    const place: RunTrace = tracer.startRun('demo');
    expect(place.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(place.parentSpanId).toBeUndefined();
    tracer.runClosed(place, { ...run, status: 'completed' });
    const [span] = ended;
    expect(span?.parentSpanContext).toBeUndefined();
    expect(span?.startTime).toEqual([1_000, 0]);
    expect(span?.endTime).toEqual([1_002, 500_250_000]);
    expect(`00-${span?.spanContext().traceId}-${span?.spanContext().spanId}-01`).toBe(place.traceparent);
  });

  it('puts a run below the request that starts it, and tells the log where it is meanwhile', async () => {
    const { tracer, ended, scope } = setUp();
    let place: RunTrace | undefined;
    let facts: Record<string, string> = {};
    await tracer.request(get({ traceparent: CALLER }), async (span) => {
      span.route('/api/v1/runs');
      await Promise.resolve();
      place = tracer.startRun('demo');
      facts = scope.facts();
      return new Response(null, { status: 204 });
    });
    const [request] = ended;
    expect(request?.name).toBe('GET /api/v1/runs');
    expect(request?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(place?.parentSpanId).toBe(request?.spanContext().spanId);
    expect(facts).toEqual({
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      span_id: request?.spanContext().spanId,
    });
    expect(scope.facts()).toEqual({});
    expect(JSON.stringify(request?.attributes)).not.toContain('secret');
  });

  it('begins a trace of its own when the header of the caller is broken', async () => {
    const { tracer, ended } = setUp();
    for (const traceparent of ['', 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `${CALLER}-x`])
      await tracer.request(get(traceparent === '' ? {} : { traceparent }), async () => new Response('ok'));
    expect(ended.map((span) => span.parentSpanContext)).toEqual([undefined, undefined, undefined, undefined]);
    expect(new Set(ended.map((span) => span.spanContext().traceId)).size).toBe(4);
  });

  it('marks a request as failed by the code of a 5xx only; a caller who errs is noted', async () => {
    const { tracer, ended } = setUp();
    for (const [status, code] of [
      [503, 'DATABASE_UNAVAILABLE'],
      [404, 'RUN_NOT_FOUND'],
    ] as const)
      await tracer.request(get(), async (span) => {
        span.failed(code);
        return new Response(null, { status });
      });
    expect(ended.map((span) => [span.status.code, span.attributes['error.type']])).toEqual([
      [2, 'DATABASE_UNAVAILABLE'],
      [0, 'RUN_NOT_FOUND'],
    ]);
    const broken = tracer.request(get(), () => Promise.reject(new Error('secret word')));
    await expect(broken).rejects.toThrow('secret word');
    expect(ended[2]?.status).toEqual({ code: 2, message: 'INTERNAL' });
  });

  it('keeps what was decided about recording for as long as the run lives', () => {
    const { tracer } = setUp(samplerOf(otel, 'parentbased_always_off', ''));
    const place: RunTrace = tracer.startRun('demo');
    expect(place.traceparent).toMatch(/-00$/);
    const attempt = tracer.attempt(place, {
      ...run,
      activityId: 'a',
      nodePath: 'a',
      nodeId: 'a',
      attempt: 1,
      target: { kind: 'function', name: 'f' },
    });
    expect(attempt.context.traceparent.slice(0, 36)).toBe(place.traceparent.slice(0, 36));
    expect(attempt.context.traceparent).toMatch(/-00$/);
  });

  it('passes the state of the trace on unchanged, and reads it back from where it was kept', () => {
    const { tracer } = setUp();
    const place: RunTrace = { traceparent: CALLER, tracestate: 'a=1,b=2' };
    expect(tracer.toolCall(place, { server: 's', tool: 't' }).context.tracestate).toBe('a=1,b=2');
    const child: RunTrace = tracer.followRun('inner', place, 'child');
    expect(child).toMatchObject({ parentSpanId: 'b7ad6b7169203331', tracestate: 'a=1,b=2' });
    const next: RunTrace = tracer.followRun('demo', place, 'next');
    expect(next).toMatchObject({ link: CALLER });
    expect(next.parentSpanId).toBeUndefined();
    expect(next.traceparent).not.toContain('0af7651916cd43dd8448eb211c80319c');
  });

  it('links a run that repeats another to it', () => {
    const { tracer, ended } = setUp();
    const place: RunTrace = tracer.startRun('demo', CALLER);
    tracer.runClosed(place, { ...run, status: 'completed' });
    expect(ended[0]?.links.map(({ context }) => context.spanId)).toEqual(['b7ad6b7169203331']);
    expect(ended[0]?.parentSpanContext).toBeUndefined();
  });

  it('reports a span once, and a run whose place cannot be read not at all', () => {
    const { tracer, ended } = setUp();
    const call = tracer.toolCall({ traceparent: CALLER }, { server: 's', tool: 't' });
    call.end('TIMEOUT');
    call.end();
    expect(ended).toHaveLength(1);
    expect(ended[0]?.status).toEqual({ code: 2, message: 'TIMEOUT' });
    tracer.runClosed({ traceparent: 'broken' }, { ...run, status: 'completed' });
    expect(ended).toHaveLength(1);
  });

  it('tells a failed run by its code, a cancelled one as what somebody wanted', () => {
    const { tracer, ended } = setUp();
    const place = tracer.startRun('demo');
    tracer.runClosed(place, { ...run, status: 'failed', code: 'TOOL_ERROR' });
    tracer.runClosed(place, { ...run, status: 'timed_out' });
    tracer.runClosed(place, { ...run, status: 'cancelled', code: 'CANCELLED' });
    expect(ended.map((span) => span.status.message)).toEqual(['TOOL_ERROR', 'TIMED_OUT', undefined]);
  });
});
