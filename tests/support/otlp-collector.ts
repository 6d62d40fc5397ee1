import { createServer, type Server } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

const anyValue = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: z.union([z.string(), z.int()]) }),
  z.strictObject({ doubleValue: z.number() }),
  z.looseObject({ arrayValue: z.unknown() }),
]);
const attributes = z.array(z.strictObject({ key: z.string().min(1), value: anyValue })).default([]);
const nanos = z.union([z.string(), z.number()]).transform((value) => BigInt(value));

/** What OTLP/HTTP carries as JSON, as far as a collector has to understand it (opentelemetry-proto, trace/v1). */
const requestSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(
        z.object({
          scope: z.object({ name: z.string() }),
          spans: z.array(
            z.object({
              traceId: z.string().regex(/^[0-9a-f]{32}$/),
              spanId: z.string().regex(/^[0-9a-f]{16}$/),
              parentSpanId: z
                .string()
                .regex(/^[0-9a-f]{16}$/)
                .optional(),
              traceState: z.string().optional(),
              name: z.string().min(1),
              kind: z.int().min(0).max(5),
              startTimeUnixNano: nanos,
              endTimeUnixNano: nanos,
              attributes,
              links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
              status: z.object({ code: z.int().optional(), message: z.string().optional() }),
            }),
          ),
        }),
      ),
    }),
  ),
});

type Value = string | number | boolean | undefined;

/** A span as it came in, with its attributes and those of its process as plain objects. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  traceState: string | undefined;
  name: string;
  kind: number;
  durationMs: number;
  startedMs: number;
  attributes: Record<string, Value>;
  resource: Record<string, Value>;
  links: { traceId: string; spanId: string }[];
  status: { code?: number | undefined; message?: string | undefined };
}

/** A collector that keeps what it is sent. Requests that are no OTLP are answered with 400 and noted. */
export class OtlpCollector {
  readonly spans: ReceivedSpan[] = [];
  readonly problems: string[] = [];
  readonly headers: Record<string, unknown>[] = [];

  private constructor(private readonly server: Server) {}

  static async listen(): Promise<OtlpCollector> {
    const server = createServer();
    const collector = new OtlpCollector(server);
    server.on('request', async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const raw = Buffer.concat(parts);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
      try {
        if (request.method !== 'POST' || request.url !== '/v1/traces')
          throw new Error(`${request.method} ${request.url}`);
        collector.headers.push(request.headers);
        collector.spans.push(...decode(body.toString('utf8')));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      } catch (error) {
        collector.problems.push(String(error));
        response.writeHead(400).end();
      }
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

function decode(text: string): ReceivedSpan[] {
  return requestSchema.parse(JSON.parse(text)).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        traceState: span.traceState,
        name: span.name,
        kind: span.kind,
        startedMs: Number(span.startTimeUnixNano / 1_000_000n),
        durationMs: Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6,
        attributes: plain(span.attributes),
        resource: plain(resource.attributes),
        links: span.links,
        status: span.status,
      })),
    ),
  );
}

function plain(list: z.infer<typeof attributes>): Record<string, Value> {
  return Object.fromEntries(
    list.map(({ key, value }) => [key, Object.values(value as Record<string, Value>)[0]]),
  );
}
