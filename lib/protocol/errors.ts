import { z } from 'zod';
import { IDENTITY_ERRORS } from '@/lib/protocol/errors-identity';
import { WEBHOOK_ERRORS } from '@/lib/protocol/errors-webhooks';

/** What is always the same about an error code. The message is written where the error is raised. */
export interface ErrorEntry {
  /** What the reader should do now. */
  next: string;
  /** True when the same request can succeed later without a change. */
  retriable: boolean;
  httpStatus: number;
}

/**
 * The error catalogue. Every error that leaves the system has one of these codes; anything else is
 * normalised to INTERNAL once, at the edge (`toAppError`).
 */
export const ERROR_CATALOGUE = {
  INVALID_INPUT: {
    next: 'Correct the field at `path` and send the request again.',
    retriable: false,
    httpStatus: 400,
  },
  INVALID_JSON: { next: 'Send well-formed JSON (UTF-8).', retriable: false, httpStatus: 400 },
  INVALID_YAML: { next: 'Correct the YAML at the place that is named.', retriable: false, httpStatus: 400 },
  NOT_ACCEPTABLE: {
    next: 'Ask for application/json, or leave Accept out.',
    retriable: false,
    httpStatus: 406,
  },
  INVALID_DEFINITION: {
    next: 'Fix the problems listed (each names the node and the place) and validate again.',
    retriable: false,
    httpStatus: 422,
  },
  INVALID_WORKFLOW_INPUT: {
    next: "Make the input match the workflow's input schema.",
    retriable: false,
    httpStatus: 422,
  },
  PAYLOAD_TOO_LARGE: {
    next: 'Send less, or store the data elsewhere and pass a reference.',
    retriable: false,
    httpStatus: 413,
  },
  PAYLOAD_NOT_FOUND: {
    next: 'Read the run: its outputs name what is kept, and for how long is set by the retention.',
    retriable: false,
    httpStatus: 404,
  },
  STREAM_TRIMMED: {
    next: 'Read the lists anew, then go on from the number that is named.',
    retriable: false,
    httpStatus: 410,
  },
  UNSUPPORTED_MEDIA_TYPE: { next: 'Send Content-Type: application/json.', retriable: false, httpStatus: 415 },
  UNAUTHENTICATED: { next: 'Sign in, or send an API key.', retriable: false, httpStatus: 401 },
  FORBIDDEN: {
    next: 'Ask an administrator for the role that this needs.',
    retriable: false,
    httpStatus: 403,
  },
  FORBIDDEN_ORIGIN: {
    next: 'Call from the same host, or add the host to OPENCONDUCTOR_ALLOWED_HOSTS.',
    retriable: false,
    httpStatus: 403,
  },
  NOT_FOUND: { next: 'Check the address.', retriable: false, httpStatus: 404 },
  METHOD_NOT_ALLOWED: {
    next: 'Use one of the methods in the Allow header.',
    retriable: false,
    httpStatus: 405,
  },
  WORKFLOW_NOT_FOUND: {
    next: 'List the workflows with `openconductor workflow list`.',
    retriable: false,
    httpStatus: 404,
  },
  RUN_NOT_FOUND: { next: 'List the runs with `openconductor run list`.', retriable: false, httpStatus: 404 },
  SCHEDULE_NOT_FOUND: {
    next: 'List the schedules with `openconductor schedule list`.',
    retriable: false,
    httpStatus: 404,
  },
  SCHEDULE_EXISTS: {
    next: 'Choose another name, or change the schedule with `openconductor schedule update`.',
    retriable: false,
    httpStatus: 409,
  },
  ...IDENTITY_ERRORS,
  ...WEBHOOK_ERRORS,
  VIEW_NOT_FOUND: {
    next: 'List the saved views with `openconductor view list`.',
    retriable: false,
    httpStatus: 404,
  },
  VIEW_EXISTS: {
    next: 'Choose another name, or change the view with `openconductor view save`.',
    retriable: false,
    httpStatus: 409,
  },
  SETTING_NOT_FOUND: {
    next: 'List the settings with `openconductor settings list`.',
    retriable: false,
    httpStatus: 404,
  },
  BULK_NOT_FOUND: {
    next: 'List the bulk operations with `openconductor bulk list`.',
    retriable: false,
    httpStatus: 404,
  },
  SERVER_NOT_FOUND: {
    next: 'List the servers with `openconductor server list`.',
    retriable: false,
    httpStatus: 404,
  },
  SERVER_EXISTS: {
    next: 'Choose another name, or change the server with `openconductor server edit NAME`.',
    retriable: false,
    httpStatus: 409,
  },
  SERVER_READ_ONLY: {
    next: 'Change it in the configuration file and start again.',
    retriable: false,
    httpStatus: 409,
  },
  INPUT_NOT_EXPECTED: {
    next: 'List what waits for people with `openconductor run show RUN_ID`.',
    retriable: false,
    httpStatus: 409,
  },
  TOOL_NOT_FOUND: {
    next: 'List the tools with `openconductor server inspect NAME`.',
    retriable: false,
    httpStatus: 404,
  },
  EVENT_NOT_FOUND: { next: 'Read the history of the run.', retriable: false, httpStatus: 404 },
  NODE_NOT_FOUND: {
    next: 'Read the run: it lists the full paths of its nodes.',
    retriable: false,
    httpStatus: 404,
  },
  APPROVAL_NOT_FOUND: {
    next: 'List what waits for people with `openconductor task list`.',
    retriable: false,
    httpStatus: 404,
  },
  APPROVAL_CLOSED: {
    next: 'Nothing: the question is settled. The history of the run says how.',
    retriable: false,
    httpStatus: 409,
  },
  APPROVAL_DECIDED_ALREADY: {
    next: 'Nothing: your decision is written down; the question waits for others.',
    retriable: false,
    httpStatus: 409,
  },
  OUTCOME_KNOWN: {
    next: 'Read the run: no call with this path waits for a person.',
    retriable: false,
    httpStatus: 409,
  },
  AMBIGUOUS_TARGET: {
    next: 'Name one of those in `problems`.',
    retriable: false,
    httpStatus: 409,
  },
  RUN_OPEN: {
    next: 'Cancel or terminate the run first, or wait until it has closed.',
    retriable: false,
    httpStatus: 409,
  },
  NOTHING_TO_RETRY: {
    next: 'The run completed: rerun it from a node, or restart it.',
    retriable: false,
    httpStatus: 409,
  },
  RUN_CLOSED: { next: 'Start a new run: a closed history never changes.', retriable: false, httpStatus: 409 },
  WORKFLOW_ID_IN_USE: {
    next: 'Use another workflow id, or wait until the run with this one has closed.',
    retriable: false,
    httpStatus: 409,
  },
  IDEMPOTENCY_CONFLICT: {
    next: 'Use a new Idempotency-Key for a different request.',
    retriable: false,
    httpStatus: 409,
  },
  VERSION_CONFLICT: {
    next: 'Read the newest version and apply your change to it.',
    retriable: false,
    httpStatus: 412,
  },
  PRECONDITION_REQUIRED: {
    next: 'Read it and send its ETag back in If-Match; for something new send If-None-Match: *.',
    retriable: false,
    httpStatus: 428,
  },
  RATE_LIMITED: {
    next: 'Wait for the time in Retry-After, then try again.',
    retriable: true,
    httpStatus: 429,
  },
  EXPRESSION_INVALID: {
    next: 'Correct the expression; docs/workflow-reference.md lists what it may use.',
    retriable: false,
    httpStatus: 422,
  },
  EXPRESSION_FAILED: {
    next: 'Check that the value exists and has the expected type.',
    retriable: false,
    httpStatus: 422,
  },
  NETWORK_ERROR: {
    next: 'Check that the server is running and can be reached.',
    retriable: true,
    httpStatus: 502,
  },
  TIMEOUT: { next: 'Try again, or raise the timeout of the node.', retriable: true, httpStatus: 504 },
  CIRCUIT_OPEN: {
    next: 'Wait: calls go through again once the server has answered a probe.',
    retriable: true,
    httpStatus: 503,
  },
  TOOL_ERROR: {
    next: "Read the tool's message; correct the arguments or the data it works on.",
    retriable: false,
    httpStatus: 502,
  },
  TASK_LOST: {
    next: 'Find out whether the task took effect; its server no longer knows it.',
    retriable: true,
    httpStatus: 502,
  },
  TOOL_BLOCKED: {
    next: 'Review the changed tool definition and accept it.',
    retriable: false,
    httpStatus: 409,
  },
  INVALID_TOOL_ARGUMENTS: {
    next: "Make the arguments match the tool's input schema.",
    retriable: false,
    httpStatus: 422,
  },
  INVALID_TOOL_RESULT: {
    next: 'Report it to the author of the server: its answer breaks its own schema.',
    retriable: false,
    httpStatus: 502,
  },
  PROTOCOL_ERROR: {
    next: 'Look at the log of the server: it did not answer in valid MCP.',
    retriable: false,
    httpStatus: 502,
  },
  SERVER_START_FAILED: {
    next: 'Look at the log of the server (`openconductor server logs NAME`).',
    retriable: true,
    httpStatus: 502,
  },
  SERVER_AUTH_REQUIRED: {
    next: 'Connect the account of the server, or correct its credentials.',
    retriable: false,
    httpStatus: 502,
  },
  SERVER_NOT_CONFIGURED: {
    next: 'Fill in the placeholders and secrets that the server needs.',
    retriable: false,
    httpStatus: 409,
  },
  ADDRESS_NOT_ALLOWED: {
    next: 'Use a public address, or allow private networks in the configuration of the process.',
    retriable: false,
    httpStatus: 403,
  },
  COMMAND_NOT_ALLOWED: {
    next: 'Add the command to OPENCONDUCTOR_STDIO_COMMANDS.',
    retriable: false,
    httpStatus: 403,
  },
  INPUT_REQUIRED: {
    next: 'Answer what the server asks; the call then goes on.',
    retriable: false,
    httpStatus: 409,
  },
  UNKNOWN_OUTCOME: {
    next: 'Find out whether the call took effect, then choose: retry, mark done, or fail.',
    retriable: false,
    httpStatus: 409,
  },
  ACTIVITY_FAILED: { next: 'Read the message of the failed step.', retriable: false, httpStatus: 500 },
  APPROVAL_REJECTED: {
    next: 'Read the comment of the person who said no.',
    retriable: false,
    httpStatus: 409,
  },
  JOIN_UNSATISFIED: {
    next: 'Look at the nodes before it that failed or were skipped: too few were left.',
    retriable: false,
    httpStatus: 409,
  },
  LOOP_LIMIT: {
    next: 'Raise maxIterations, or correct the condition of the loop.',
    retriable: false,
    httpStatus: 409,
  },
  CHILD_FAILED: { next: 'Open the child run and read why it failed.', retriable: false, httpStatus: 502 },
  INVALID_WORKFLOW_OUTPUT: {
    next: "Make the output match the workflow's output schema.",
    retriable: false,
    httpStatus: 422,
  },
  CANCELLED: { next: 'Nothing: it was asked for.', retriable: false, httpStatus: 409 },
  DEAD_LETTER: {
    next: 'Find in the log what the run does to the process, correct it, then start a new run.',
    retriable: false,
    httpStatus: 500,
  },
  HISTORY_LIMIT: { next: 'Split the workflow, or use continue-as-new.', retriable: false, httpStatus: 409 },
  HISTORY_UNREADABLE: {
    next: 'Read its events one by one; update this process if a newer version wrote them, else report it.',
    retriable: false,
    httpStatus: 500,
  },
  FENCED: {
    next: 'Nothing: another process owns the run and goes on with it.',
    retriable: true,
    httpStatus: 409,
  },
  SHARDS_MISMATCH: {
    next: 'Set OPENCONDUCTOR_SHARDS to the number that is named, for every process of the database, and start again.',
    retriable: false,
    httpStatus: 500,
  },
  DATABASE_UNAVAILABLE: {
    next: 'Check the database; the request can be sent again.',
    retriable: true,
    httpStatus: 503,
  },
  SHUTTING_DOWN: { next: 'Send the request again in a few seconds.', retriable: true, httpStatus: 503 },
  INTERNAL: {
    next: 'Look at the log with the request id, and report it.',
    retriable: false,
    httpStatus: 500,
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** True for a code of the catalogue. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CATALOGUE, code);
}

/** Extra facts an error can carry. `path` is a JSON pointer to the field, e.g. `/input/path`. */
export interface AppErrorOptions {
  path?: string;
  details?: unknown;
  cause?: unknown;
}

/**
 * The one error class that crosses module borders. Recognise it by `code` (`isAppError`), never by
 * `instanceof`: Next bundles route handlers apart, so two copies of this class exist in one process.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.path = options.path;
    this.details = options.details;
  }

  get entry(): ErrorEntry {
    return ERROR_CATALOGUE[this.code];
  }
}

/** True for an AppError of either bundle. */
export function isAppError(error: unknown): error is AppError {
  return (
    error instanceof Error && error.name === 'AppError' && isErrorCode((error as { code?: unknown }).code)
  );
}

/** SQLSTATE classes, and Prisma's codes for a database or a connection that cannot be had in time. */
const RETRIABLE_DATABASE = /^(08...|53...|57P..|P1001|P1002|P1008|P1017|P2024|P2028)$/;
/** What drivers and pools say, without a code of their own, about a database that is away or full. */
const DATABASE_AWAY =
  /^timeout exceeded when trying to connect$|^Connection terminated|is not queryable$|^terminating connection|Code: `(08|53|57P)[0-9A-Z]+`|Too many database connections|pool after calling end/;
const NETWORK_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);

/** Anything thrown → AppError: the one place where unknown errors get a code. */
export function toAppError(error: unknown): AppError {
  if (isAppError(error)) return error;
  if (error instanceof z.ZodError) return zodToAppError(error);
  const code = (error as { code?: unknown } | null)?.code;
  const isAway = typeof code === 'string' && (RETRIABLE_DATABASE.test(code) || NETWORK_CODES.has(code));
  if (isAway || DATABASE_AWAY.test(String((error as { message?: unknown } | null)?.message ?? ''))) {
    return new AppError('DATABASE_UNAVAILABLE', 'The database did not answer.', { cause: error });
  }
  return new AppError('INTERNAL', 'Something went wrong on our side.', { cause: error });
}

/** An Idempotency-Key stands for another request already. */
export function idempotencyConflict(): AppError {
  return new AppError('IDEMPOTENCY_CONFLICT', 'This Idempotency-Key was used for a different request.', {
    path: '/headers/idempotency-key',
  });
}

/** First problem of a zod failure as INVALID_INPUT, with all of them in `details`. */
export function zodToAppError(error: z.ZodError, prefix = ''): AppError {
  const problems = error.issues.map((issue) => ({
    path: prefix + jsonPointer(issue.path),
    message: issue.message,
  }));
  const first = problems[0] ?? { path: prefix, message: 'Invalid input.' };
  return new AppError('INVALID_INPUT', `${first.path || '/'}: ${first.message}`, {
    path: first.path || '/',
    details: problems,
  });
}

/** RFC 6901 pointer of a path: `['a', 0, 'b/c']` → `/a/0/b~1c`. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** RFC 9457 problem document, as REST sends it. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  next: z.string(),
  retriable: z.boolean(),
  path: z.string().optional(),
  problems: z.array(z.unknown()).optional(),
  requestId: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** The problem document of an error. */
export function toProblem(error: AppError, requestId?: string): Problem {
  const entry = ERROR_CATALOGUE[error.code];
  return {
    type: `urn:openconductor:error:${error.code.toLowerCase().replaceAll('_', '-')}`,
    title: error.code.toLowerCase().replaceAll('_', ' '),
    status: entry.httpStatus,
    code: error.code,
    detail: error.message,
    next: entry.next,
    retriable: entry.retriable,
    ...(error.path === undefined ? {} : { path: error.path }),
    ...(Array.isArray(error.details) ? { problems: error.details } : {}),
    ...(requestId === undefined ? {} : { requestId }),
  };
}
