import { randomBytes } from 'node:crypto';
import type { Attributes, Link, SpanContext, SpanKind } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { Sampler, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { RunTrace } from '@/lib/protocol/events-run';
import { OpenSpan, type SpanStart } from '@/server/adapters/observability/open-span';
import type { Otel } from '@/server/adapters/observability/otel';
import type { TraceScope } from '@/server/adapters/observability/trace-scope';
import type {
  AttemptFacts,
  ClosedRun,
  RequestSpan,
  TraceContext,
  TraceSpan,
  Tracing,
  WrittenTrace,
} from '@/server/ports/tracing';

export interface TracerDeps {
  otel: Otel;
  processor: Pick<SpanProcessor, 'onEnd' | 'shutdown'>;
  sampler: Sampler;
  resource: Resource;
  scope: TraceScope;
  /** Epoch milliseconds, on the clock that events are timed by. */
  now: () => number;
  /** A random id of `bytes` bytes. */
  randomId?: (bytes: number) => string;
  /** Milliseconds that the end of the process waits for the collector. */
  shutdownMs: number;
}

const hex = (bytes: number) => randomBytes(bytes).toString('hex');

/** Runs that ended like this have failed; the others went as somebody wanted. */
const FAILED = new Set(['failed', 'timed_out', 'dead_letter']);

/** Traces as spans of OpenTelemetry. */
export class Tracer implements Tracing {
  private readonly randomId: (bytes: number) => string;
  private readonly kinds: typeof SpanKind;

  constructor(private readonly deps: TracerDeps) {
    this.randomId = deps.randomId ?? hex;
    this.kinds = deps.otel.api.SpanKind;
  }

  async request(request: Request, work: (span: RequestSpan) => Promise<Response>): Promise<Response> {
    const { method } = request;
    const caller = this.contextOf({
      traceparent: request.headers.get('traceparent') ?? '',
      tracestate: request.headers.get('tracestate') ?? undefined,
    });
    const context = this.place(caller, `${method} request`, this.kinds.SERVER);
    const url = new URL(request.url);
    const span = this.open({
      name: method,
      kind: this.kinds.SERVER,
      context,
      parent: caller,
      attributes: {
        'http.request.method': method,
        'url.scheme': url.protocol.replace(':', ''),
        'url.path': url.pathname.slice(0, 200),
        'server.address': url.hostname,
        ...(url.port === '' ? {} : { 'server.port': Number(url.port) }),
      },
    });
    let failed: string | undefined;
    const told: RequestSpan = {
      route: (template) => {
        span.span.name = `${method} ${template}`;
        span.set({ 'http.route': template });
      },
      failed: (code) => {
        failed = code;
      },
    };
    try {
      const response = await this.deps.scope.within(context, () => work(told));
      span.set({ 'http.response.status_code': response.status });
      // A caller's mistake is no failure of the server: only its code is noted.
      if (failed !== undefined && response.status < 500) span.set({ 'error.type': failed });
      span.end(response.status >= 500 ? (failed ?? String(response.status)) : undefined);
      return response;
    } catch (error) {
      span.end('INTERNAL');
      throw error;
    }
  }

  current(): TraceContext | undefined {
    const span = this.deps.scope.current();
    return span === undefined ? undefined : written(span);
  }

  startRun(workflow: string, follows?: string): WrittenTrace {
    const current = this.deps.scope.current();
    const context = this.place(current, `run ${workflow}`, this.kinds.INTERNAL);
    return {
      ...written(context),
      ...(current === undefined ? {} : { parentSpanId: current.spanId }),
      ...(follows === undefined ? {} : { link: follows }),
    };
  }

  followRun(workflow: string, from: RunTrace, how: 'child' | 'next'): WrittenTrace {
    const before = this.contextOf(from);
    const parent = how === 'child' ? before : undefined;
    const context = this.place(parent, `run ${workflow}`, this.kinds.INTERNAL);
    return {
      ...written(context),
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
      ...(how === 'next' && before !== undefined ? { link: from.traceparent } : {}),
    };
  }

  runClosed(place: RunTrace, run: ClosedRun): void {
    const context = this.contextOf(place);
    if (context === undefined) return;
    const { parentSpanId } = place;
    const before = place.link === undefined ? undefined : this.contextOf({ traceparent: place.link });
    const span = new OpenSpan(
      {
        name: `run ${run.workflow}`,
        kind: this.kinds.INTERNAL,
        context,
        parent: parentSpanId === undefined ? undefined : { ...context, spanId: parentSpanId, isRemote: true },
        at: run.startedAt,
        attributes: {
          'openconductor.organization.id': run.organizationId,
          'openconductor.run.id': run.runId,
          'openconductor.run.status': run.status,
          'openconductor.workflow.id': run.workflowId,
          'openconductor.workflow.name': run.workflow,
          'openconductor.workflow.version': run.version,
        },
        links: before === undefined ? [] : [{ context: before }],
      },
      this.deps.resource,
    );
    const code = FAILED.has(run.status) ? (run.code ?? run.status.toUpperCase()) : undefined;
    if (span.close(run.closedAt - run.startedAt, code)) this.deps.processor.onEnd(span);
  }

  attempt(run: RunTrace, facts: AttemptFacts): TraceSpan {
    const parent = this.contextOf(run);
    const { target } = facts;
    return this.open({
      name: `activity ${facts.nodeId}`,
      kind: this.kinds.INTERNAL,
      context: this.below(parent),
      parent,
      attributes: {
        'openconductor.organization.id': facts.organizationId,
        'openconductor.run.id': facts.runId,
        'openconductor.node.path': facts.nodePath,
        'openconductor.activity.id': facts.activityId,
        'openconductor.activity.kind': target.kind,
        'openconductor.activity.attempt': facts.attempt,
        ...(target.kind === 'mcp'
          ? { 'openconductor.mcp.server': target.server, 'gen_ai.tool.name': target.tool }
          : { 'openconductor.activity.function': target.name }),
      },
    });
  }

  toolCall(within: TraceContext, { server, tool }: { server: string; tool: string }): TraceSpan {
    const parent = this.contextOf(within);
    return this.open({
      name: `tools/call ${tool}`,
      kind: this.kinds.CLIENT,
      context: this.below(parent),
      parent,
      attributes: {
        'mcp.method.name': 'tools/call',
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': tool,
        'openconductor.mcp.server': server,
      },
    });
  }

  async shutdown(): Promise<void> {
    const { processor, shutdownMs } = this.deps;
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, shutdownMs);
    });
    await Promise.race([processor.shutdown().catch(() => undefined), enough]);
    clearTimeout(timer);
  }

  /** A new span's place under `parent`, or in a trace of its own; here it is decided whether it is recorded. */
  private place(parent: SpanContext | undefined, name: string, kind: SpanKind): SpanContext {
    const traceId = parent?.traceId ?? this.randomId(16);
    const { ROOT_CONTEXT, TraceFlags, trace } = this.deps.otel.api;
    const { RECORD_AND_SAMPLED } = this.deps.otel.sdk.SamplingDecision;
    const around = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    const attributes: Attributes = {};
    const links: Link[] = [];
    const { decision, traceState } = this.deps.sampler.shouldSample(
      around,
      traceId,
      name,
      kind,
      attributes,
      links,
    );
    const state = traceState ?? parent?.traceState;
    return {
      traceId,
      spanId: this.randomId(8),
      traceFlags: decision === RECORD_AND_SAMPLED ? TraceFlags.SAMPLED : TraceFlags.NONE,
      ...(state === undefined ? {} : { traceState: state }),
    };
  }

  /** A place below a span whose trace is recorded or not as was decided when it began. */
  private below(parent: SpanContext | undefined): SpanContext {
    if (parent === undefined) return this.place(undefined, 'activity', this.kinds.INTERNAL);
    const { traceId, traceFlags, traceState } = parent;
    return {
      traceId,
      spanId: this.randomId(8),
      traceFlags,
      ...(traceState === undefined ? {} : { traceState }),
    };
  }

  /** A place that travelled; undefined when it is none. */
  private contextOf({ traceparent, tracestate }: TraceContext): SpanContext | undefined {
    const { parseTraceParent, TraceState } = this.deps.otel.core;
    const parsed = parseTraceParent(traceparent);
    if (parsed === null) return undefined;
    const state = tracestate === undefined ? {} : { traceState: new TraceState(tracestate) };
    return { ...parsed, isRemote: true, ...state };
  }

  private open(start: Omit<SpanStart, 'at'>): TraceSpan & { span: OpenSpan } {
    const { processor, resource, now } = this.deps;
    const span = new OpenSpan({ ...start, at: now() }, resource);
    const begun = performance.now();
    return {
      span,
      context: written(start.context),
      set: (attributes) => void Object.assign(span.attributes, attributes),
      end: (code) => {
        if (span.close(performance.now() - begun, code)) processor.onEnd(span);
      },
    };
  }
}

/** A span's place as it travels. */
function written({ traceId, spanId, traceFlags, traceState }: SpanContext): WrittenTrace {
  const flags = traceFlags.toString(16).padStart(2, '0');
  const state = traceState?.serialize() ?? '';
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, ...(state === '' ? {} : { tracestate: state }) };
}
