import type { z } from 'zod';
import type { Actor } from '@/lib/protocol/actor';
import { AppError, type ErrorCode } from '@/lib/protocol/errors';
import type { Permission } from '@/lib/protocol/permissions';

/** A request as an operation sees it: parsed and checked. */
export interface OperationRequest<P, Q, B> {
  actor: Actor;
  params: P;
  query: Q;
  body: B;
  /** The bytes of the body; only with `rawBody`. */
  raw?: Uint8Array;
  headers: Headers;
  /** Fires when the caller hangs up or the process stops. */
  signal: AbortSignal;
}

/** An answer in JSON. Anything else is a Response of its own. */
export interface JsonAnswer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** What an answer looks like, for the OpenAPI document. Without `content` it has no body. */
export interface AnswerSpec {
  description: string;
  /** Schema of the body by media type; null = text that has no schema here. */
  content?: Record<string, z.ZodType | null>;
  headers?: readonly string[];
}

/** Request headers that mean something to an operation; `openapi.ts` says what. */
export type RequestHeader = 'Idempotency-Key' | 'If-Match' | 'If-None-Match' | 'Last-Event-ID';

export const TAGS = [
  'workflows',
  'runs',
  'tasks',
  'schedules',
  'webhooks',
  'alerts',
  'bulk',
  'servers',
  'events',
  'views',
  'settings',
  'identity',
  'audit',
  'about',
] as const;
export type Tag = (typeof TAGS)[number];

/** Any path parameters: plain text unless a schema says otherwise. */
type TextParams = z.ZodType<Record<string, string>>;

/** One operation of the REST API: router, OpenAPI document and contract tests are made from these. */
export interface Operation<
  P extends z.ZodType = TextParams,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
> {
  /** Unique; names the method of generated clients. */
  id: string;
  tag: Tag;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A template such as `/api/v1/runs/{runId}`. */
  path: string;
  summary: string;
  /** More sentences, in Markdown. */
  description?: string;
  /** What the caller must be allowed (lib/protocol/permissions.ts); the router checks it before anything else is read. */
  permission: Permission;
  params?: P;
  query?: Q;
  body?: B;
  /** Anybody may ask, signed in or not: the operation itself finds out by whom it is asked. Its `actor` is nobody. */
  open?: boolean;
  /** The body is handed over as the bytes that came (`OperationRequest.raw`), whatever their type. */
  rawBody?: boolean;
  /** JSON pointers to what in the body is kept as JSON whatever it holds; anywhere else a NUL is refused. */
  contents?: readonly string[];
  /** The body may be YAML as well. */
  yaml?: boolean;
  headers?: readonly RequestHeader[];
  answers: Readonly<Record<number, AnswerSpec>>;
  /** Codes it can fail with, besides those that every operation has. */
  errors: readonly ErrorCode[];
  /**
   * The one object that a request is about, where the body names it; its permission is then asked for that object. Paths below
   * `/workflows/{name}`, `/runs/{runId}` and `/views/{viewId}` need not say it.
   */
  target?: (body: z.infer<B>) => { kind: 'workflow'; id: string } | null;
  /** Served, but not part of the API that the document describes. */
  hidden?: boolean;
  handle(request: OperationRequest<z.infer<P>, z.infer<Q>, z.infer<B>>): Promise<JsonAnswer | Response>;
}

/** Keeps the schema types of an operation for its handler, then forgets them for the table. */
export function operation<
  P extends z.ZodType = TextParams,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
>(of: Operation<P, Q, B>): Operation {
  return of as unknown as Operation;
}

/** The usual answer: JSON of one schema. */
export function answers(status: number, description: string, schema: z.ZodType, headers?: readonly string[]) {
  const spec: AnswerSpec = {
    description,
    content: { 'application/json': schema },
    ...(headers ? { headers } : {}),
  };
  return { [status]: spec };
}

const KEY = /^[\x21-\x7e]{1,255}$/;

/** The request's Idempotency-Key, or null. Throws INVALID_INPUT. */
export function idempotencyKey(headers: Headers): string | null {
  const key = headers.get('idempotency-key');
  if (key === null || KEY.test(key)) return key;
  throw new AppError('INVALID_INPUT', 'Idempotency-Key takes 1 to 255 visible ASCII characters.', {
    path: '/headers/idempotency-key',
  });
}

/** A path parameter as text. */
export function text(params: Record<string, string>, name: string): string {
  return params[name] ?? '';
}
