import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';

/**
 * The readme of a workflow: its `description`, written as Markdown with sections. The first paragraph is what a list
 * shows; the section "Expected result" holds a JSON block with what a run of the sample input ends with. It is part of the
 * definition, so it goes along with every export and import.
 */
export interface WorkflowReadme {
  /** First paragraph, on one line. */
  summary: string;
  /** Everything but the expected result, as it was written. */
  text: string;
  /** `{ status, output?, failure?, steps? }`; texts such as `<date>` stand for values that nobody can foresee. */
  expected: JsonObject;
}

const EXPECTED = /^## Expected result\n+```json\n([\s\S]*?)\n```\n?/m;

/** Reads a description as a readme; null when it has no section "Expected result" with a JSON object. */
export function readmeOf(description: string | null | undefined): WorkflowReadme | null {
  if (typeof description !== 'string') return null;
  const block = EXPECTED.exec(description);
  if (block === null) return null;
  const expected = parseObject(block[1] ?? '');
  if (expected === null) return null;
  const text = description.replace(EXPECTED, '').trim();
  const summary = (text.split(/\n\s*\n/)[0] ?? '').replace(/\s+/g, ' ');
  return { summary, text, expected };
}

/** The sample input: the first of the `examples` of the input's JSON Schema; undefined when there is none. */
export function sampleInputOf(definition: unknown): Json | undefined {
  const { examples } = (definition as Partial<WorkflowDefinition> | null)?.input ?? {};
  return Array.isArray(examples) ? (examples[0] as Json | undefined) : undefined;
}

function parseObject(text: string): JsonObject | null {
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
