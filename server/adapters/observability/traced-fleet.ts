import type { ManagedMcpFleet, ToolCall, ToolOutcome } from '@/server/ports/mcp-fleet';
import type { Tracing } from '@/server/ports/tracing';

/**
 * The same fleet, whose tool calls are client spans and carry their place in the trace to the server (SEP-414). Calls that
 * belong to no trace pass as they are.
 */
export function tracedFleet(fleet: ManagedMcpFleet, tracing: Tracing): ManagedMcpFleet {
  const call = async (given: ToolCall): Promise<ToolOutcome> => {
    const { server, tool, traceparent, tracestate } = given;
    const within = traceparent === undefined ? tracing.current() : { traceparent, tracestate };
    if (within === undefined) return fleet.call(given);
    const span = tracing.toolCall(within, { server, tool });
    try {
      const outcome = await fleet.call({ ...given, ...span.context });
      if (outcome.ok) {
        const { isError, bytesIn, bytesOut } = outcome.result;
        span.set({ 'openconductor.mcp.request.size': bytesOut, 'openconductor.mcp.response.size': bytesIn });
        span.end(isError ? 'tool_error' : undefined);
      } else span.end(outcome.failure.code === 'INPUT_REQUIRED' ? undefined : outcome.failure.code);
      return outcome;
    } catch (error) {
      span.end('INTERNAL');
      throw error;
    }
  };
  // The fleet keeps private fields: everything else is asked of itself.
  return new Proxy(fleet, {
    get(target, name) {
      if (name === 'call') return call;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
