import type { z } from 'zod';
import { Problems } from '@/lib/engine/problems';
import type { DefinitionProblem } from '@/lib/protocol/api';
import { NODE_KINDS } from '@/lib/protocol/definition';
import { jsonPointer } from '@/lib/protocol/errors';

type Issue = z.core.$ZodIssue;

/** Findings of the schema as problems: which node, which place, what to do. */
export function describeSchemaIssues(json: unknown, error: z.ZodError): DefinitionProblem[] {
  const problems = new Problems();
  for (const issue of error.issues) describe(json, issue, [], problems);
  return problems.list;
}

function describe(json: unknown, issue: Issue, prefix: readonly PropertyKey[], problems: Problems): void {
  const path = [...prefix, ...issue.path];
  const pointer = jsonPointer(path);
  const nodeId = nodeAt(json, path);
  const value = valueAt(json, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) {
        problems.error(
          'UNKNOWN_FIELD',
          nodeId,
          `${pointer}/${key}`,
          `There is no field ${key} here.`,
          'Check the spelling against docs/workflow-reference.md, or remove it.',
        );
      }
      return;
    case 'invalid_union':
      describeUnion(json, issue, path, problems);
      return;
    case 'custom':
      describeRule(issue, pointer, nodeId, problems);
      return;
    default:
  }
  if (value === undefined) {
    problems.error(
      'MISSING_FIELD',
      nodeId,
      pointer,
      `${String(path.at(-1) ?? 'The definition')} is missing.`,
      `Add it: ${issue.message}.`,
    );
  } else if (path.at(-1) === 'id' && issue.code === 'invalid_format') {
    problems.error(
      'INVALID_ID',
      nodeId,
      pointer,
      `${JSON.stringify(value)} is no id.`,
      capital(issue.message),
    );
  } else
    problems.error(
      'INVALID_FIELD',
      nodeId,
      pointer,
      `${issue.message}.`,
      'Give a value of the right form (docs/workflow-reference.md).',
    );
}

function describeUnion(
  json: unknown,
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly PropertyKey[],
  problems: Problems,
): void {
  const pointer = jsonPointer(path);
  const nodeId = nodeAt(json, path);
  const value = valueAt(json, path);
  if (path.at(-1) === 'kind') {
    const fix =
      typeof value === 'string'
        ? problems.didYouMean(value, () => NODE_KINDS, `Use one of: ${NODE_KINDS.join(', ')}.`)
        : `Use one of: ${NODE_KINDS.join(', ')}.`;
    problems.error(
      'UNKNOWN_KIND',
      nodeId,
      pointer,
      value === undefined ? 'The node has no kind.' : `There is no kind of node ${JSON.stringify(value)}.`,
      fix,
    );
    return;
  }
  if (value === undefined) {
    problems.error(
      'MISSING_FIELD',
      nodeId,
      pointer,
      `${String(path.at(-1))} is missing.`,
      'Add it (docs/workflow-reference.md).',
    );
    return;
  }
  // The alternative that fits best has the fewest complaints; its own are the most useful.
  const best = [...issue.errors].sort((a, b) => a.length - b.length || depth(b) - depth(a))[0];
  if (best !== undefined && best.length === 1 && (best[0]?.path.length ?? 0) > 0) {
    describe(json, best[0] as Issue, path, problems);
    return;
  }
  const messages = [...new Set(issue.errors.flat().map((inner) => inner.message))];
  problems.error(
    'INVALID_FIELD',
    nodeId,
    pointer,
    `${JSON.stringify(value)?.slice(0, 80)} does not fit here.`,
    capital(messages.join('; or ')),
  );
}

const depth = (issues: readonly Issue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length));

function describeRule(issue: Issue, pointer: string, nodeId: string | null, problems: Problems): void {
  const unbounded = pointer.endsWith('/maxIterations');
  problems.error(
    unbounded ? 'LOOP_UNBOUNDED' : 'INVALID_FIELD',
    nodeId,
    pointer,
    `${capital(issue.message)}.`,
    unbounded ? 'Add "maxIterations": the most rounds that make sense.' : capital(issue.message),
  );
}

const capital = (text: string): string => (text === '' ? text : `${text[0]?.toUpperCase()}${text.slice(1)}`);

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  let at: unknown = json;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}

/** Id of the innermost node that a path leads into. */
function nodeAt(json: unknown, path: readonly PropertyKey[]): string | null {
  let found: string | null = null;
  path.forEach((key, i) => {
    if (typeof key !== 'number' || path[i - 1] !== 'nodes') return;
    const id = (valueAt(json, path.slice(0, i + 1)) as { id?: unknown } | undefined)?.id;
    if (typeof id === 'string') found = id;
  });
  return found;
}
