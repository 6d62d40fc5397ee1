import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { isJsonObject } from '@/lib/shared/json';

/** The first place where a value breaks its schema: a JSON pointer and a sentence. */
export interface SchemaProblem {
  path: string;
  message: string;
}

/** Undefined when the value fits. */
export type SchemaCheck = (value: unknown) => SchemaProblem | undefined;

/**
 * Lenient about the schema (unknown keywords and formats pass: servers write what they like), strict about the value.
 * Never loads a remote `$ref`.
 */
const OPTIONS: Options = {
  strict: false,
  validateFormats: false,
  allErrors: false,
  logger: false,
  addUsedSchema: false,
};

/** Draft of a schema by its `$schema`; MCP's default is 2020-12. */
function ajvFor(schema: object): Ajv {
  const dialect = (schema as { $schema?: unknown }).$schema;
  if (typeof dialect === 'string') {
    if (/draft-0[4-7]/.test(dialect)) return new Ajv(OPTIONS);
    if (dialect.includes('2019-09')) return new Ajv2019(OPTIONS);
  }
  return new Ajv2020(OPTIONS);
}

/**
 * Compiles a JSON Schema once. A schema that cannot be compiled checks nothing: the server decides then itself.
 *
 * @returns the check, and why it checks nothing if so
 */
export function compileSchema(schema: unknown): { check: SchemaCheck; problem?: string } {
  if (!isJsonObject(schema)) return { check: () => undefined };
  let validate: ValidateFunction;
  try {
    validate = ajvFor(schema).compile(schema);
  } catch (error) {
    return { check: () => undefined, problem: error instanceof Error ? error.message : String(error) };
  }
  return {
    check: (value) => {
      if (validate(value) === true) return undefined;
      return describe(validate.errors?.[0]);
    },
  };
}

function describe(error: ErrorObject | undefined): SchemaProblem {
  if (error === undefined) return { path: '', message: 'does not match the schema' };
  const params = error.params as Record<string, unknown>;
  const child = params.missingProperty ?? params.additionalProperty ?? params.unevaluatedProperty;
  const path = typeof child === 'string' ? `${error.instancePath}/${pointerPart(child)}` : error.instancePath;
  switch (error.keyword) {
    case 'required':
      return { path, message: 'is required' };
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return { path, message: 'is not known to the tool' };
    case 'enum':
      return { path, message: `must be one of ${JSON.stringify(params.allowedValues)}` };
    default:
      return { path, message: error.message ?? 'does not match the schema' };
  }
}

function pointerPart(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}
