import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { AppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';
import type { StoredDefinition } from '@/server/ports/definition-store';

const MAX_KEPT = 1_000;

/** Checks a run's input against the input schema of its definition. */
export class InputChecker {
  // Schemas are not added to the instance: two workflows may use the same $id.
  private readonly ajv = new Ajv2020({ allErrors: true, strict: false, addUsedSchema: false });
  private readonly checks = new Map<string, ValidateFunction>();

  /** Throws INVALID_WORKFLOW_INPUT with every mismatch, INVALID_DEFINITION when the schema itself cannot be used. */
  check({ definition, hash }: StoredDefinition, input: Json): void {
    if (!definition.input) return;
    const check = this.checkFor(hash, definition.input as object);
    let fits: unknown;
    try {
      fits = check(input);
    } catch (error) {
      throw unusable(error);
    }
    if (fits === true) return;
    const problems = (check.errors ?? []).map((error) => ({
      path: `/input${error.instancePath}${missing(error.params)}`,
      message: error.message ?? 'does not fit',
    }));
    const first = problems[0] ?? { path: '/input', message: 'does not fit' };
    throw new AppError('INVALID_WORKFLOW_INPUT', `${first.path} ${first.message}.`, {
      path: first.path,
      details: problems,
    });
  }

  private checkFor(hash: string, schema: object): ValidateFunction {
    let check = this.checks.get(hash);
    if (check) return check;
    try {
      // An asynchronous schema would answer with a promise, which is not an answer here.
      check = this.ajv.compile({ ...schema, $async: false });
    } catch (error) {
      throw unusable(error);
    }
    if (this.checks.size >= MAX_KEPT) this.checks.clear();
    this.checks.set(hash, check);
    return check;
  }
}

function unusable(error: unknown): AppError {
  const message = error instanceof Error ? error.message : String(error);
  return new AppError('INVALID_DEFINITION', `The input schema of the workflow cannot be used: ${message}.`, {
    path: '/input',
    cause: error,
  });
}

/** The missing or unexpected property of an ajv error, as a further step of the path. */
function missing(params: Record<string, unknown>): string {
  const name = params.missingProperty ?? params.additionalProperty;
  return typeof name === 'string' ? `/${name}` : '';
}
