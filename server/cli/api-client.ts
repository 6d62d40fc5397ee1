import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  type CallToolResultBody,
  callToolResultSchema,
  type DeepHealth,
  deepHealthSchema,
  eventPageSchema,
  healthSchema,
  runPageSchema,
  type ServerSummary,
  type StartRunBody,
  serverDetailSchema,
  serverSummarySchema,
  type ValidationResult,
  validationResultSchema,
  type WorkflowSummary,
  workflowSummarySchema,
} from '@/lib/protocol/api';
import { problemSchema } from '@/lib/protocol/errors';
import { type RunDetail, runDetailSchema } from '@/lib/protocol/run';
import type { Json, JsonObject } from '@/lib/shared/json';
import { badInput, CliError, EXIT, fromProblem } from '@/server/cli/cli-error';

/** Time for an answer, in milliseconds, beyond the time the server is asked to wait. */
const ANSWER_MS = 30_000;
/** A tool may run for long; its own time limit is the server's business. */
const TOOL_MS = 15 * 60_000;
/** Pauses before a start is sent again with the same Idempotency-Key. */
const RETRY_MS = [200, 600];

const startedSchema = z.looseObject({ runId: z.string() });
const registeredSchema = z.looseObject({ name: z.string(), version: z.int() });
const workflowDetailSchema = z.looseObject({
  name: z.string(),
  version: z.int(),
  servers: z.array(z.string()).optional(),
  definition: z.unknown().optional(),
});
/** A workflow as the server shows it; `definition` is its document. */
export type WorkflowDetail = z.infer<typeof workflowDetailSchema>;

/** One request and the form of its answer. */
export interface ApiRequest<T> {
  schema: z.ZodType<T>;
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  body?: unknown;
  headers?: Record<string, string>;
  timeoutMs?: number;
  /** Statuses other than 2xx whose body is also an answer. */
  also?: readonly number[];
}

/** The REST interface of an instance. Every method throws CliError; an interrupted one throws Interrupted. */
export class ApiClient {
  /**
   * @param baseUrl asked before every request
   * @param interrupt ends whatever is under way
   */
  constructor(
    private readonly baseUrl: () => Promise<string>,
    private readonly interrupt: AbortSignal,
  ) {}

  /** The same instance, but also ended by another signal. */
  until(signal: AbortSignal): ApiClient {
    return new ApiClient(this.baseUrl, AbortSignal.any([this.interrupt, signal]));
  }

  workflows(): Promise<WorkflowSummary[]> {
    return this.all('/api/v1/workflows', workflowSummarySchema);
  }

  workflow(name: string, version?: number): Promise<WorkflowDetail> {
    return this.send(`/api/v1/workflows/${encodeURIComponent(name)}${queryOf({ version })}`, {
      schema: workflowDetailSchema,
    });
  }

  validate(definition: unknown): Promise<ValidationResult> {
    return this.send('/api/v1/workflows/validate', {
      method: 'POST',
      body: definition,
      schema: validationResultSchema,
    });
  }

  register(definition: unknown, headers: Record<string, string>): Promise<z.infer<typeof registeredSchema>> {
    return this.send('/api/v1/workflows', {
      method: 'POST',
      body: definition,
      headers,
      schema: registeredSchema,
    });
  }

  runs(query: Record<string, string | number | undefined>): Promise<z.infer<typeof runPageSchema>> {
    return this.send(`/api/v1/runs${queryOf(query)}`, { schema: runPageSchema });
  }

  run(runId: string): Promise<RunDetail> {
    return this.send(`/api/v1/runs/${encodeURIComponent(runId)}`, { schema: runDetailSchema });
  }

  events(
    runId: string,
    after: number,
    limit: number,
    waitMs: number,
  ): Promise<z.infer<typeof eventPageSchema>> {
    return this.send(`/api/v1/runs/${encodeURIComponent(runId)}/events${queryOf({ after, limit, waitMs })}`, {
      schema: eventPageSchema,
      timeoutMs: ANSWER_MS + waitMs,
    });
  }

  /** Starts a run. A lost answer is asked for again under the same key, so one run is started at most. */
  async startRun(body: StartRunBody): Promise<{ runId: string }> {
    const headers = { 'idempotency-key': randomUUID() };
    for (const pause of RETRY_MS) {
      try {
        return await this.send('/api/v1/runs', { method: 'POST', body, headers, schema: startedSchema });
      } catch (error) {
        if (!(error instanceof CliError) || !AGAIN.has(error.code)) throw error;
        await sleep(pause);
      }
    }
    return this.send('/api/v1/runs', { method: 'POST', body, headers, schema: startedSchema });
  }

  cancel(runId: string, reason: string | undefined): Promise<unknown> {
    return this.command(runId, 'cancel', reason === undefined ? {} : { reason });
  }

  signal(runId: string, name: string, payload: Json | undefined): Promise<unknown> {
    return this.command(runId, 'signal', payload === undefined ? { name } : { name, payload });
  }

  servers(): Promise<ServerSummary[]> {
    return this.all('/api/v1/servers', serverSummarySchema);
  }

  server(name: string): Promise<z.infer<typeof serverDetailSchema>> {
    return this.send(`/api/v1/servers/${encodeURIComponent(name)}`, { schema: serverDetailSchema });
  }

  callTool(server: string, tool: string, args: JsonObject): Promise<CallToolResultBody> {
    return this.send(`/api/v1/servers/${encodeURIComponent(server)}/call`, {
      method: 'POST',
      body: { tool, arguments: args },
      schema: callToolResultSchema,
      timeoutMs: TOOL_MS,
    });
  }

  health(): Promise<z.infer<typeof healthSchema>> {
    return this.send('/health', { schema: healthSchema, timeoutMs: 3000, also: [503] });
  }

  /** A part that is down makes the answer a 503 with the same body. */
  deepHealth(): Promise<DeepHealth> {
    return this.send('/health/deep', { schema: deepHealthSchema, also: [503] });
  }

  /** Every page of a list. */
  async all<T>(path: string, item: z.ZodType<T>): Promise<T[]> {
    const rows: T[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await this.send(path + queryOf({ cursor: cursor ?? undefined }), { schema: listOf(item) });
      rows.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null && cursor !== undefined);
    return rows;
  }

  private command(runId: string, verb: string, body: unknown): Promise<unknown> {
    return this.send(`/api/v1/runs/${encodeURIComponent(runId)}/${verb}`, {
      method: 'POST',
      body,
      headers: { 'idempotency-key': randomUUID() },
      schema: z.unknown(),
    });
  }

  /** One request to a path below the address of the instance; for commands that have no method of their own here. */
  async send<T>(path: string, request: ApiRequest<T>): Promise<T> {
    const base = await this.baseUrl();
    const text = request.body === undefined ? undefined : JSON.stringify(request.body);
    let response: Response;
    let answer: string;
    try {
      response = await fetch(base + path, {
        method: request.method ?? 'GET',
        headers: {
          accept: 'application/json',
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        ...(text === undefined ? {} : { body: text }),
        redirect: 'error',
        signal: AbortSignal.any([this.interrupt, AbortSignal.timeout(request.timeoutMs ?? ANSWER_MS)]),
      });
      answer = await response.text();
    } catch (cause) {
      throw (await this.tooLarge(cause, base, text)) ?? this.failure(cause, base);
    }
    const body = parse(answer);
    if (!response.ok && !request.also?.includes(response.status)) {
      const problem = problemSchema.safeParse(body);
      throw problem.success ? fromProblem(problem.data) : strange(base, `HTTP ${response.status}`);
    }
    const parsed = request.schema.safeParse(body);
    if (!parsed.success) {
      const place = parsed.error.issues[0]?.path.join('.') ?? '';
      throw strange(base, `${path.split('?')[0]} in an unexpected form${place === '' ? '' : ` (${place})`}`);
    }
    return parsed.data;
  }

  /**
   * A server that refuses a large body answers and cuts the connection; when the cut overtakes the answer, all that is
   * seen here is a broken connection. An instance that still answers its health check has not crashed: it refused.
   */
  private async tooLarge(
    cause: unknown,
    base: string,
    body: string | undefined,
  ): Promise<CliError | undefined> {
    const kib = Math.ceil((body?.length ?? 0) / 1024);
    if (kib < LARGE_KIB || !BROKEN.has(codeOf(cause)) || this.interrupt.aborted) return undefined;
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

function queryOf(values: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) query.set(key, String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
