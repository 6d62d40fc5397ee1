import { AsyncLocalStorage } from 'node:async_hooks';
import type { SpanContext } from '@opentelemetry/api';

/** The span that the current asynchronous work belongs to. Costs nothing until somebody enters a span. */
export class TraceScope {
  private readonly storage = new AsyncLocalStorage<SpanContext>();

  current(): SpanContext | undefined {
    return this.storage.getStore();
  }

  /** Runs `work`, and everything it leads to, within a span. */
  within<T>(span: SpanContext, work: () => T): T {
    return this.storage.run(span, work);
  }

  /** What a log line says of the span it is written in; nothing outside of spans. */
  readonly facts = (): Record<string, string> => {
    const span = this.storage.getStore();
    return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
  };
}
