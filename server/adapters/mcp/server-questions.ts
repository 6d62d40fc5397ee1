import { type Client, type ClientCapabilities, ProtocolError } from '@modelcontextprotocol/client';
import type { ServerConfig } from '@/lib/protocol/server-config';
import { elicitation, rootsOf, toResponse } from '@/server/adapters/mcp/input-requests';
import { TASKS_EXTENSION } from '@/server/adapters/mcp/wire-codes';
import type { InputAnswer, InputRequest } from '@/server/ports/mcp-fleet';

const INVALID_REQUEST = -32_600;
/** `_meta` key by which a server of 2025-11-25 says which task a question belongs to. */
const RELATED_TASK = 'io.modelcontextprotocol/related-task';

/** Puts one question to whoever makes the call it belongs to. */
export type AskCaller = (request: InputRequest, signal: AbortSignal) => Promise<InputAnswer>;

/** The capabilities that we declare to a server: exactly what its configuration lets it ask for. */
export function capabilitiesFor(config: ServerConfig): ClientCapabilities {
  return {
    extensions: { [TASKS_EXTENSION]: {} },
    ...(config.elicitation === 'refuse' ? {} : { elicitation: { form: {}, url: {} } }),
    ...(config.sampling === 'ask' || config.sampling === 'endpoint' ? { sampling: {} } : {}),
    ...(config.roots === undefined ? {} : { roots: {} }),
  };
}

/**
 * The calls in flight on one connection of the 2025 era, where a server asks by a request of its own that does not say
 * which call it belongs to. With one call in flight there is no doubt; with several the question is refused rather than
 * put to the wrong person, and the server counts as interactive: its calls run one at a time from then on.
 */
export class CallsInFlight {
  private readonly callers = new Set<AskCaller>();
  private readonly byTask = new Map<string, AskCaller>();
  private asked = 0;

  constructor(private readonly onInteractive: () => void) {}

  /** A call starts; the function returned ends it. */
  enter(ask: AskCaller): () => void {
    this.callers.add(ask);
    return () => {
      this.callers.delete(ask);
      for (const [taskId, caller] of this.byTask) if (caller === ask) this.byTask.delete(taskId);
    };
  }

  /** A call became a task: its questions name the task from now on. */
  follow(taskId: string, ask: AskCaller): void {
    this.callers.delete(ask);
    this.byTask.set(taskId, ask);
  }

  /**
   * The answer of the caller that follows the task which asks, else of the one caller. Throws INVALID_REQUEST when there
   * is none or more than one.
   */
  async ask(
    make: (key: string) => InputRequest,
    signal: AbortSignal,
    meta: Readonly<Record<string, unknown>> | undefined,
  ): Promise<InputAnswer> {
    const related = meta?.[RELATED_TASK] as { taskId?: unknown } | undefined;
    const follower = this.byTask.get(String(related?.taskId));
    if (follower !== undefined) return follower(make(`ask-${++this.asked}`), signal);
    this.onInteractive();
    const [caller, another] = this.callers;
    if (caller === undefined || another !== undefined) {
      const why = caller === undefined ? 'No call is in flight.' : 'Several calls are in flight: try again.';
      throw new ProtocolError(INVALID_REQUEST, why);
    }
    return caller(make(`ask-${++this.asked}`), signal);
  }
}

/** Registers what answers a server's requests on a connection. */
export function answerQuestions(client: Client, config: ServerConfig, calls: CallsInFlight): void {
  const capabilities = capabilitiesFor(config);
  if (capabilities.elicitation !== undefined) {
    client.setRequestHandler('elicitation/create', async (request, context) => {
      let asked: InputRequest | undefined;
      const make = (key: string): InputRequest => {
        asked = elicitation(key, request.params);
        return asked;
      };
      const answer = await calls.ask(make, context.mcpReq.signal, context.mcpReq._meta);
      return toResponse(asked ?? make(''), answer) as never;
    });
  }
  if (capabilities.sampling !== undefined) {
    client.setRequestHandler('sampling/createMessage', async (request, context) => {
      const make = (key: string): InputRequest => ({
        key,
        kind: 'sampling',
        params: request.params as never,
      });
      const answer = await calls.ask(make, context.mcpReq.signal, context.mcpReq._meta);
      if (answer.action !== 'result') throw new ProtocolError(-1, 'The request for a model was refused.');
      return answer.result as never;
    });
  }
  if (capabilities.roots !== undefined) {
    client.setRequestHandler('roots/list', () => ({ roots: rootsOf(config) }) as never);
  }
}
