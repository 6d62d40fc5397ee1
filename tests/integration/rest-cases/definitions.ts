/** Two transforms, one behind the other. Input: anything; `fail: true` makes the second one fail. */
export function plainWorkflow(name: string) {
  return {
    schemaVersion: 1,
    name,
    searchAttributes: { customer: '${input.?customer.orValue("none")}' },
    nodes: [
      { id: 'first', kind: 'transform', output: '${1 + 1}' },
      { id: 'second', kind: 'transform', output: '${input.?fail.orValue(false) ? 1 / 0 : first.output}' },
    ],
    edges: [{ from: 'first', to: 'second' }],
  };
}

/** Waits for the signal `go`. */
export const WAITING = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'hold', kind: 'wait', signal: 'go' }],
};

/** Asks a person who must give a number. */
export const ASKING = {
  schemaVersion: 1,
  name: 'asking',
  nodes: [
    {
      id: 'ask',
      kind: 'approval',
      title: 'Send it?',
      form: { type: 'object', required: ['amount'], properties: { amount: { type: 'integer' } } },
    },
  ],
};

/** A call that is given up while it may have taken effect, and must not be repeated blindly. */
export const SLOW = {
  schemaVersion: 1,
  name: 'slow',
  nodes: [
    {
      id: 'write',
      kind: 'mcp-server',
      server: 'slow',
      tool: 'slow_write',
      arguments: { ms: 2_000, value: 'x' },
      timeout: '100ms',
    },
  ],
};
