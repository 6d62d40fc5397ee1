import { compile } from '@/lib/engine/compile';
import type { Knowledge } from '@/lib/engine/knowledge';
import { Problems } from '@/lib/engine/problems';
import { checkCalls } from '@/lib/engine/validate-calls';
import { checkExpressions } from '@/lib/engine/validate-expressions';
import { placeGraphs } from '@/lib/engine/validate-graphs';
import { checkLimits } from '@/lib/engine/validate-limits';
import { describeSchemaIssues } from '@/lib/engine/validate-schema';
import { checkSensitive } from '@/lib/engine/validate-sensitive';
import { checkStructure } from '@/lib/engine/validate-structure';
import type { DefinitionProblem } from '@/lib/protocol/api';
import { type WorkflowDefinition, workflowDefinitionSchema } from '@/lib/protocol/definition';
import { isAppError } from '@/lib/protocol/errors';

export type { Knowledge } from '@/lib/engine/knowledge';

/**
 * Checks a definition (any JSON): form, ids, edges, ports, joins, references, types, calls, bounds. Every finding says where
 * it is and what to do. `definition` is there when the form is right, also when there are errors of other kinds. Errors block
 * publishing; warnings do not.
 */
export function validateDefinition(
  json: unknown,
  knowledge?: Knowledge,
): { definition?: WorkflowDefinition; problems: DefinitionProblem[] } {
  const parsed = workflowDefinitionSchema.safeParse(json);
  if (!parsed.success) return { problems: describeSchemaIssues(json, parsed.error) };
  const definition = parsed.data;
  const problems = new Problems();
  const graphs = placeGraphs(definition);
  checkStructure(definition, graphs, problems);
  checkLimits(definition, graphs, problems);
  const types = checkExpressions(definition, graphs, knowledge, problems);
  if (knowledge !== undefined) checkCalls(graphs, knowledge, types, problems);
  checkSensitive(definition, graphs, knowledge, problems);
  if (!problems.hasErrors) checkCompiles(definition, problems);
  return { definition, problems: problems.list };
}

/** The last word has the compiler: what it refuses must never pass as valid. */
function checkCompiles(definition: WorkflowDefinition, problems: Problems): void {
  try {
    compile(definition);
  } catch (error) {
    if (!isAppError(error)) throw error;
    problems.error(error.code, null, error.path ?? '', error.message, error.entry.next);
  }
}
