/**
 * Caps on expressions. All of them count things (never time), so that every process, and every replay, refuses
 * the same expressions on the same data.
 */
export const EXPRESSION_LIMITS = {
  /** Characters of one expression. */
  sourceLength: 10_000,
  /** Nodes of the syntax tree. */
  astNodes: 1000,
  /** Depth of the syntax tree. */
  astDepth: 48,
  /** map, filter, all, exists, exists_one and bind inside one another. */
  macroNesting: 2,
  /** Items of a list that is walked through, or made. */
  listItems: 10_000,
  /** Characters of a text that is made. */
  textLength: 1_000_000,
  /** Characters of a result, written as JSON. */
  resultSize: 4_000_000,
  /** Units of work of one evaluation: one per operation, and one per 16 characters or item touched. */
  cost: 250_000,
} as const;
