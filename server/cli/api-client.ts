import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  createApiClient,
  type PathsWith,
  type ApiClient as TypedClient,
  UnexpectedAnswer,
} from '@/lib/api-client/client';
import type { operations, paths } from '@/lib/api-client/generated/schema';
import {
  type DeepHealth,
  deepHealthSchema,
  eventPageSchema,
  healthSchema,
  runPageSchema,
  type ServerSummary,
  type StartRunBody,
  serverDetailSchema,
  serverSummarySchema,
  type WorkflowSummary,
  workflowSummarySchema,
} from '@/lib/protocol/api';
import { isAppError } from '@/lib/protocol/errors';
import { type RunDetail, runDetailSchema } from '@/lib/protocol/run';
import type { Target } from '@/server/cli/base-url';
import { badInput, CliError, EXIT, toCliError } from '@/server/cli/cli-error';
import { revealed } from '@/server/cli/reveal';

/** Time for an answer, in milliseconds, beyond the time the server is asked to wait. */
const ANSWER_MS = 30_000;
/** Pauses before a start is sent again with the same Idempotency-Key. */
const RETRY_MS = [200, 600];

/** What the list of runs can be asked. */
type RunQuery = NonNullable<Questions<operations['listRuns']['parameters']>['query']>;

const startedSchema = z.looseObject({ runId: z.string() });
const workflowDetailSchema = z.looseObject({
  name: z.string(),
  version: z.int(),
  servers: z.array(z.string()).optional(),
  definition: z.unknown().optional(),
});
/** A workflow as the server shows it; `definition` is its document. */
export type WorkflowDetail = z.infer<typeof workflowDetailSchema>;

/** One request and the form of its answer. */
interface Sent<T> {
  schema: z.ZodType<T>;
  body?: unknown;
  headers?: Record<string, string> | undefined;
  timeoutMs?: number;
  /** The answer is no JSON: its bytes as a Buffer. */
  raw?: boolean;
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Parameters<P extends keyof paths, M extends Method> = paths[P][M] extends { parameters: infer X }
  ? X
  : never;
/** What goes into the path. */
type Places<X> = X extends { path: infer Y extends object } ? { path: Y } : { path?: undefined };
/** What goes behind the question mark; a value that is undefined is left out. */
type Questions<X> = X extends { query?: infer Y }
  ? { query?: { [K in keyof NonNullable<Y>]?: NonNullable<Y>[K] | undefined } }
  : object;
/** A request to a path of the API; its parameters are checked against the OpenAPI document. */
type ApiRequest<P extends keyof paths, M extends Method, T> = Sent<T> &
  Places<Parameters<P, M>> &
  Questions<Parameters<P, M>>;

/** The typed client with the types of its paths worn off: those of `ApiRequest` have checked them. */
type AnyClient = {
  request(
    method: string,
    path: string,
    init: Record<string, unknown>,
  ): Promise<{ data?: unknown; response: Response }>;
};

/** The REST interface of an instance. Every method throws CliError; an interrupted one throws Interrupted. */
export class ApiClient {
  /**
   * @param target asked before every request
   * @param interrupt ends whatever is under way
   */
  constructor(
    private readonly target: () => Promise<Target>,
    private readonly interrupt: AbortSignal,
  ) {}

  /** The typed client itself, for one instance; it throws what `lib/api-client` says. */
  async typed(): Promise<TypedClient> {
    const { url: baseUrl, apiKey } = await this.target();
    return createApiClient({ baseUrl, apiKey });
  }

  /** The same instance, but also ended by another signal. */
  until(signal: AbortSignal): ApiClient {
    return new ApiClient(this.target, AbortSignal.any([this.interrupt, signal]));
  }

  workflows(): Promise<WorkflowSummary[]> {
    return this.all('/api/v1/workflows', { schema: workflowSummarySchema });
  }

  workflow(name: string, version?: number): Promise<WorkflowDetail> {
    return this.send('get', '/api/v1/workflows/{name}', {
      path: { name },
      query: { version },
      schema: workflowDetailSchema,
    });
  }

  runs(query: RunQuery): Promise<z.infer<typeof runPageSchema>> {
    return this.send('get', '/api/v1/runs', { query, schema: runPageSchema });
  }

  run(runId: string, reveal?: boolean): Promise<RunDetail> {
    const query = revealed({ reveal });
    return this.send('get', '/api/v1/runs/{runId}', { path: { runId }, query, schema: runDetailSchema });
  }

  events(
    runId: string,
    after: number,
    limit: number,
    waitMs: number,
  ): Promise<z.infer<typeof eventPageSchema>> {
    return this.send('get', '/api/v1/runs/{runId}/events', {
      path: { runId },
      query: { after, limit, waitMs },
      schema: eventPageSchema,
      timeoutMs: ANSWER_MS + waitMs,
    });
  }

  /** Starts a run. A lost answer is asked for again under the same key, so one run is started at most. */
  async startRun(body: StartRunBody): Promise<{ runId: string }> {
    const headers = { 'idempotency-key': randomUUID() };
    const once = () => this.send('post', '/api/v1/runs', { body, headers, schema: startedSchema });
    for (const pause of RETRY_MS) {
      try {
        return await once();
      } catch (error) {
        if (!(error instanceof CliError) || !AGAIN.has(error.code)) throw error;
        await sleep(pause);
      }
    }
    return once();
  }

  servers(): Promise<ServerSummary[]> {
    return this.all('/api/v1/servers', { schema: serverSummarySchema });
  }

  server(name: string): Promise<z.infer<typeof serverDetailSchema>> {
    return this.send('get', '/api/v1/servers/{name}', { path: { name }, schema: serverDetailSchema });
  }

  health(): Promise<z.infer<typeof healthSchema>> {
    return this.state('/health', healthSchema, 3000);
  }

  /** A part that is down makes the answer a 503 with the same body. */
  deepHealth(): Promise<DeepHealth> {
    return this.state('/health/deep', deepHealthSchema, ANSWER_MS);
  }

  /** The metrics of the process, in the text format of Prometheus. */
  async metrics(): Promise<string> {
    const { url: base, apiKey } = await this.target();
    const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    try {
      const response = await fetch(`${base}/metrics`, {
        headers,
        redirect: 'error',
        signal: this.within(ANSWER_MS),
      });
      return response.ok ? await response.text() : '';
    } catch (cause) {
      throw this.failure(cause, base);
    }
  }

  /** Every page of a list. */
  async all<P extends PathsWith<'get'>, T>(path: P, request: ApiRequest<P, 'get', T>): Promise<T[]> {
    const rows: T[] = [];
    let cursor: string | null | undefined;
    do {
      const query = { ...(request as { query?: object }).query, cursor: cursor ?? undefined };
      const asked = { ...request, query, schema: listOf(request.schema) };
      const page = await this.sent('get', path, asked as unknown as AnyRequest<Page<T>>);
      rows.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null && cursor !== undefined);
    return rows;
  }

  /** One request to a path of the API, its answer checked against `schema`. */
  send<M extends Method, P extends PathsWith<M>, T>(
    method: M,
    path: P,
    request: ApiRequest<P, M, T>,
  ): Promise<T> {
    return this.sent(method, path, request as unknown as AnyRequest<T>);
  }

  private async sent<T>(method: Method, path: string, request: AnyRequest<T>): Promise<T> {
    const { url: base, apiKey } = await this.target();
    let data: unknown;
    try {
      ({ data } = await (createApiClient({ baseUrl: base, apiKey }) as unknown as AnyClient).request(
        method,
        path,
        {
          params: { path: request.path, query: request.query },
          headers: request.headers,
          ...(request.body === undefined ? {} : { body: request.body }),
          ...(request.raw ? { parseAs: 'arrayBuffer' } : {}),
          signal: this.within(request.timeoutMs ?? ANSWER_MS),
        },
      ));
    } catch (cause) {
      if (isAppError(cause)) throw toCliError(cause);
      if (cause instanceof UnexpectedAnswer) throw strange(base, cause.message);
      if (cause instanceof SyntaxError) throw strange(base, `${path} with what is not JSON`);
      throw (await this.tooLarge(cause, base, request.body)) ?? this.failure(cause, base);
    }
    return checked(base, path, request.raw ? Buffer.from(data as ArrayBuffer) : data, request.schema);
  }

  /** The health of the process, which is no part of the API: a 503 has the same body. */
  private async state<T>(path: string, schema: z.ZodType<T>, ms: number): Promise<T> {
    const { url: base } = await this.target();
    let response: Response;
    let answer: string;
    try {
      response = await fetch(base + path, { redirect: 'error', signal: this.within(ms) });
      answer = await response.text();
    } catch (cause) {
      throw this.failure(cause, base);
    }
    if (!response.ok && response.status !== 503) throw strange(base, `HTTP ${response.status}`);
    return checked(base, path, parse(answer), schema);
  }

  private within(ms: number): AbortSignal {
    return AbortSignal.any([this.interrupt, AbortSignal.timeout(ms)]);
  }

  /**
   * A server that refuses a large body answers and cuts the connection; when the cut overtakes the answer, all that is
   * seen here is a broken connection. An instance that still answers its health check has not crashed: it refused.
   */
  private async tooLarge(cause: unknown, base: string, body: unknown): Promise<CliError | undefined> {
    if (!BROKEN.has(codeOf(cause)) || this.interrupt.aborted) return undefined;
    const kib = Math.ceil((JSON.stringify(body)?.length ?? 0) / 1024);
    if (kib < LARGE_KIB) return undefined;
    const alive = await this.health().then(
      () => true,
      () => false,
    );
    if (!alive) return undefined;
    return badInput('PAYLOAD_TOO_LARGE', `OpenConductor at ${base} refused a request of ${kib} KiB.`, {
      path: '/',
      cause,
    });
  }

  private failure(cause: unknown, base: string): unknown {
    if (this.interrupt.aborted) return new Interrupted();
    const name = (cause as Error).name;
    if (name === 'TimeoutError') {
      return new CliError('TIMEOUT', `OpenConductor at ${base} did not answer in time.`, {
        exit: EXIT.unreachable,
        next: 'Look at its state: openconductor health',
        retriable: true,
        cause,
      });
    }
    if (BROKEN.has(codeOf(cause))) {
      return new CliError('CONNECTION_LOST', `The connection to OpenConductor at ${base} broke.`, {
        exit: EXIT.unreachable,
        next: 'See whether it is running: openconductor health',
        retriable: true,
        cause,
      });
    }
    return new CliError('NOT_RUNNING', `OpenConductor is not running at ${base}. Start it with: npm start`, {
      exit: EXIT.unreachable,
      retriable: true,
      cause,
    });
  }
}

/** The user pressed Ctrl-C, or the time for waiting was over. */
export class Interrupted extends Error {
  constructor() {
    super('Interrupted.');
    this.name = 'Interrupted';
  }
}

/** Codes after which the same request may be sent again. */
const AGAIN = new Set(['CONNECTION_LOST', 'SHUTTING_DOWN', 'DATABASE_UNAVAILABLE']);
/** Smaller requests are never refused for their size: OPENCONDUCTOR_MAX_BODY_BYTES is 1 MiB unless changed. */
const LARGE_KIB = 256;
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function codeOf(cause: unknown): string {
  return (cause as { cause?: { code?: string } }).cause?.code ?? '';
}

function strange(base: string, what: string): CliError {
  return new CliError('UNEXPECTED_ANSWER', `${base} answered ${what}.`, {
    exit: EXIT.unreachable,
    next: 'Check the address, and that both sides have the same version: openconductor version',
  });
}

interface Page<T> {
  items: T[];
  nextCursor?: string | null | undefined;
}

type AnyRequest<T> = Sent<T> & { path?: Record<string, unknown>; query?: Record<string, unknown> };

/** A list that is short enough comes bare, else as a page. */
function listOf<T>(item: z.ZodType<T>) {
  return z
    .union([z.object({ items: z.array(item), nextCursor: z.string().nullish() }), z.array(item)])
    .transform((answer) => (Array.isArray(answer) ? { items: answer, nextCursor: null } : answer));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The answer when it has the form that was expected of it. */
function checked<T>(base: string, path: string, data: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const place = parsed.error.issues[0]?.path.join('.') ?? '';
  throw strange(base, `${path} in an unexpected form${place === '' ? '' : ` (${place})`}`);
}
