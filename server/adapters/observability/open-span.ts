import type { Attributes, HrTime, Link, SpanContext, SpanKind, SpanStatus } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

const OK: SpanStatus = { code: 0 };
const ERROR = 2;
const SCOPE = { name: 'openconductor' };

/** Milliseconds as OpenTelemetry keeps times: seconds and nanoseconds. */
export function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}

/** What a span is when it begins. `at` is in epoch milliseconds. */
export interface SpanStart {
  name: string;
  kind: SpanKind;
  context: SpanContext;
  parent: SpanContext | undefined;
  at: number;
  attributes: Attributes;
  links?: Link[];
}

/**
 * A span in the form that exporters read. The SDK's tracer is not used because it chooses span ids itself: the id of a run is
 * kept with its start, so that attempts on any process find their parent, and its span is written when it closes.
 */
export class OpenSpan implements ReadableSpan {
  name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  endTime: HrTime;
  duration: HrTime = [0, 0];
  ended = false;
  status: SpanStatus = OK;
  readonly attributes: Attributes;
  readonly links: Link[];
  readonly events = [];
  readonly instrumentationScope = SCOPE;
  readonly droppedAttributesCount = 0;
  readonly droppedEventsCount = 0;
  readonly droppedLinksCount = 0;
  private readonly context: SpanContext;
  private readonly at: number;

  constructor(
    start: SpanStart,
    readonly resource: Resource,
  ) {
    this.name = start.name;
    this.kind = start.kind;
    this.context = start.context;
    if (start.parent) this.parentSpanContext = start.parent;
    this.at = start.at;
    this.startTime = hrTime(start.at);
    this.endTime = this.startTime;
    this.attributes = start.attributes;
    this.links = start.links ?? [];
  }

  readonly spanContext = (): SpanContext => this.context;

  /** Ends it after `ms` milliseconds; `code` says what failed. Only the first end counts. */
  close(ms: number, code?: string): boolean {
    if (this.ended) return false;
    this.ended = true;
    this.duration = hrTime(Math.max(0, ms));
    this.endTime = hrTime(this.at + Math.max(0, ms));
    if (code !== undefined) this.fail(code);
    return true;
  }

  /** Marks it as failed with a code; messages stay out, because they may repeat what a tool or a caller said. */
  fail(code: string): void {
    this.status = { code: ERROR, message: code };
    this.attributes['error.type'] = code;
  }
}
