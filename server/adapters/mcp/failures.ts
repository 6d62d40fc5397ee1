import {
  OAuthClientFlowError,
  OAuthError,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { AppError, ERROR_CATALOGUE, type ErrorCode, isAppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';
import { ANSWER_TOO_LARGE, STREAM_ENDED } from '@/server/adapters/mcp/wire-codes';
import type { ToolFailure, ToolOutcome } from '@/server/ports/mcp-fleet';

/** System codes that prove that nothing was sent. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const INVALID_PARAMS = -32_602;
const METHOD_NOT_FOUND = -32_601;
const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;

/** A failed outcome. `retriable` is the catalogue's unless given. */
export function failed(
  code: ErrorCode,
  message: string,
  ambiguous: boolean,
  extra: { retriable?: boolean; details?: Json; retryAt?: number } = {},
): { ok: false; failure: ToolFailure } {
  const { retriable, details, retryAt } = extra;
  return {
    ok: false,
    failure: {
      code,
      message,
      retriable: retriable ?? ERROR_CATALOGUE[code].retriable,
      ambiguous,
      ...(details === undefined ? {} : { details }),
      ...(retryAt === undefined ? {} : { retryAt }),
    },
  };
}

/** The failure of something that went wrong before the call was sent. */
export function failedBeforeSending(error: unknown): ToolOutcome {
  const known = isAppError(error) ? error : connectError(error);
  const details = typeof known.details === 'string' ? { details: { log: known.details } } : {};
  return failed(known.code, known.message, false, details);
}

/** What is known about a call when it breaks. */
export interface BrokenCall {
  server: string;
  tool: string;
  /** True when the server may have got the request. */
  sent: boolean;
  /** How the connection ended, if it has. */
  endedBy: string | undefined;
  /** Newest lines of the server's stderr. */
  log: string;
}

/** The outcome of a call that threw after (or while) it was sent. */
export function failedCall(error: unknown, call: BrokenCall): ToolOutcome {
  if (error instanceof ProtocolError) return answeredWithError(error, call);
  if (error instanceof SdkHttpError) return httpFailure(error, call);
  if (error instanceof SdkError) {
    switch (error.code) {
      case SdkErrorCode.InvalidResult:
      case SdkErrorCode.UnsupportedResultType:
      case SdkErrorCode.ClientHttpUnexpectedContent:
        // It did answer, so the call took place: only the answer is useless.
        return failed(
          'PROTOCOL_ERROR',
          `${call.server} answered ${call.tool} with something that is not valid MCP.`,
          false,
          {
            details: { reason: error.message.slice(0, 500) },
          },
        );
      case SdkErrorCode.RequestTimeout:
        return failed('TIMEOUT', `${call.server} did not answer ${call.tool} in time.`, call.sent);
      default:
    }
  }
  const refused = refusedAuthorization(error);
  if (refused !== undefined) {
    return failed('SERVER_AUTH_REQUIRED', `${call.server} ${refused}.`, false);
  }
  const ours = appErrorIn(error);
  if (ours !== undefined) return failed(ours.code, ours.message, false);
  const code = systemCode(error);
  const sent = call.sent && !(code !== undefined && NEVER_SENT.has(code));
  const how = call.endedBy === undefined ? (code ?? messageOf(error)) : call.endedBy;
  const when = sent ? 'during the call of' : 'before the call of';
  return failed(
    'NETWORK_ERROR',
    `The connection to ${call.server} ended ${when} ${call.tool}: ${how}.`,
    sent,
    {
      ...(call.log === '' ? {} : { details: { log: call.log } }),
    },
  );
}

function answeredWithError(error: ProtocolError, call: BrokenCall): ToolOutcome {
  const details: Json = { mcpCode: error.code, message: error.message.slice(0, 2000) };
  switch (error.code) {
    case STREAM_ENDED:
      return failed(
        'NETWORK_ERROR',
        `${call.server} ended its answer to ${call.tool} before it was complete.`,
        call.sent,
      );
    case ANSWER_TOO_LARGE:
      return failed('PAYLOAD_TOO_LARGE', `${call.tool} of ${call.server}: ${error.message}`, false);
    case INVALID_PARAMS:
      return failed(
        'INVALID_TOOL_ARGUMENTS',
        `${call.server} refused the arguments of ${call.tool}: ${error.message}`,
        false,
        {
          details,
        },
      );
    case METHOD_NOT_FOUND:
    case PARSE_ERROR:
    case INVALID_REQUEST:
      return failed(
        'PROTOCOL_ERROR',
        `${call.server} did not understand the call of ${call.tool}: ${error.message}`,
        false,
        {
          details,
        },
      );
    default:
      return failed('TOOL_ERROR', `${call.tool} of ${call.server} failed: ${error.message}`, false, {
        details,
      });
  }
}

function httpFailure(error: SdkHttpError, call: BrokenCall): ToolOutcome {
  const { status } = error;
  if (status === 401 || status === 403) {
    return failed(
      'SERVER_AUTH_REQUIRED',
      `${call.server} refused the call of ${call.tool} (HTTP ${status}).`,
      false,
    );
  }
  if (status === 429) return failed('RATE_LIMITED', `${call.server} asks to slow down (HTTP 429).`, false);
  if (status !== undefined && status >= 500) {
    return failed('NETWORK_ERROR', `${call.server} answered ${call.tool} with HTTP ${status}.`, call.sent);
  }
  return failed(
    'PROTOCOL_ERROR',
    `${call.server} answered ${call.tool} with HTTP ${status ?? 'error'}.`,
    false,
  );
}

/** Anything thrown while a connection is opened → an error of the catalogue. */
export function connectError(error: unknown, server = 'The server', log = ''): AppError {
  const ours = appErrorIn(error);
  if (ours !== undefined) return ours;
  const options = { cause: error, ...(log === '' ? {} : { details: log }) };
  const refused = refusedAuthorization(error);
  if (refused !== undefined) return new AppError('SERVER_AUTH_REQUIRED', `${server} ${refused}.`, options);
  if (error instanceof SdkHttpError) {
    const { status } = error;
    if (status === 401 || status === 403) {
      return new AppError(
        'SERVER_AUTH_REQUIRED',
        `${server} asks for authorization (HTTP ${status}).`,
        options,
      );
    }
    if (status !== undefined && status >= 500)
      return new AppError('NETWORK_ERROR', `${server} answered HTTP ${status}.`, options);
    return new AppError(
      'PROTOCOL_ERROR',
      `${server} does not answer as an MCP server (HTTP ${status ?? 'error'}).`,
      options,
    );
  }
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
    return new AppError('TIMEOUT', `${server} did not answer while connecting.`, options);
  }
  const code = systemCode(error);
  if (code === 'ENOENT' || code === 'EACCES') {
    return new AppError(
      'SERVER_START_FAILED',
      `${server} could not be started: ${messageOf(error)}.`,
      options,
    );
  }
  if (code !== undefined)
    return new AppError('NETWORK_ERROR', `${server} cannot be reached: ${code}.`, options);
  if (error instanceof ProtocolError || error instanceof SdkError) {
    return new AppError(
      'PROTOCOL_ERROR',
      `${server} does not answer as an MCP server: ${messageOf(error)}`,
      options,
    );
  }
  return new AppError('NETWORK_ERROR', `${server} cannot be reached: ${messageOf(error)}.`, options);
}

/** An error of ours inside one of the SDK's (the guard for addresses throws from within its requests). */
function appErrorIn(error: unknown): AppError | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 6 && typeof current === 'object' && current !== null; depth++) {
    if (isAppError(current)) return current;
    const { cause, data } = current as { cause?: unknown; data?: { cause?: unknown } };
    current = cause ?? data?.cause;
  }
  return undefined;
}

/** What became of an authorization, as the rest of a sentence about the server; undefined for any other error. */
function refusedAuthorization(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 6 && typeof current === 'object' && current !== null; depth++) {
    if (current instanceof UnauthorizedError) return 'asks for authorization';
    if (current instanceof OAuthError || current instanceof OAuthClientFlowError)
      return `did not grant access: ${current.message.slice(0, 500)}`;
    const { cause, data } = current as { cause?: unknown; data?: { cause?: unknown } };
    current = cause ?? data?.cause;
  }
  return undefined;
}

/** The system's code (ECONNREFUSED …) of an error or of one of its causes. */
export function systemCode(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 6 && typeof current === 'object' && current !== null; depth++) {
    const { code, cause, errors, data } = current as Record<string, unknown>;
    if (typeof code === 'string' && /^(E[A-Z]+|UND_ERR_[A-Z_]+|CERT_[A-Z_]+)$/.test(code)) return code;
    current = cause ?? (Array.isArray(errors) ? errors[0] : (data as { cause?: unknown } | undefined)?.cause);
  }
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
