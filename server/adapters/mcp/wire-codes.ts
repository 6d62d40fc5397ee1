/**
 * JSON-RPC codes for answers that our own transports make up when the server's cannot be used. They never leave this
 * process; the numbers lie in the range that JSON-RPC leaves to implementations.
 */

/** The answer was over the size limit. */
export const ANSWER_TOO_LARGE = -32_098;

/** The answer stream ended without the answer. */
export const STREAM_ENDED = -32_097;

/** Identifier of the Tasks extension (SEP-2663), which is declared as a capability. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';
