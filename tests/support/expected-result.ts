import { expect } from 'vitest';

/** What a text in angle brackets stands for in an expected result. */
const MATCHERS: Record<string, () => unknown> = {
  '<date>': () => expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
  '<text>': () => expect.stringMatching(/\S/),
};

interface Outcome {
  status: string;
  output: unknown;
  failure: unknown;
  nodes: readonly { path: string; status: string }[];
}

/** Compares how a run ended with the expected result of a readme. The output is compared as a whole. */
export function expectResult(run: Outcome, expected: Record<string, unknown>): void {
  const { output = null, failure = null, steps, ...rest } = expected;
  expect(rest).toEqual({ status: run.status });
  expect(run.output).toEqual(withMatchers(output));
  if (failure === null) expect(run.failure).toBeNull();
  else expect(run.failure).toMatchObject(failure as object);
  if (steps !== undefined)
    expect(Object.fromEntries(run.nodes.map((node) => [node.path, node.status]))).toMatchObject(
      steps as object,
    );
}

function withMatchers(value: unknown): unknown {
  if (typeof value === 'string') return MATCHERS[value]?.() ?? value;
  if (Array.isArray(value)) return value.map(withMatchers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withMatchers(item)]));
}
