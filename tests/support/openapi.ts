import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Json, JsonObject } from '@/lib/shared/json';
import type { EngineProcess } from './engine-process';

/** One operation as the document describes it. */
export interface DocumentedOperation {
  operationId: string;
  method: string;
  path: string;
  parameters: { name: string; in: 'path' | 'query' | 'header'; required: boolean; schema: JsonObject }[];
  body: JsonObject | undefined;
  responses: Record<string, { content?: Record<string, { schema: JsonObject }>; 'x-codes'?: string[] }>;
}

/** The OpenAPI document of a running process, with checks of answers against it. */
export class ApiDocument {
  readonly operations: DocumentedOperation[];
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  private readonly checks = new Map<string, ValidateFunction>();

  private constructor(readonly document: JsonObject & { components: { schemas: JsonObject } }) {
    const paths = document.paths as Record<string, Record<string, JsonObject>>;
    this.operations = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, of]) => ({
        operationId: String(of.operationId),
        method: method.toUpperCase(),
        path,
        parameters: of.parameters as unknown as DocumentedOperation['parameters'],
        body: (of.requestBody as { content?: Record<string, { schema: JsonObject }> } | undefined)?.content?.[
          'application/json'
        ]?.schema,
        responses: of.responses as unknown as DocumentedOperation['responses'],
      })),
    );
  }

  static async read(engine: EngineProcess): Promise<ApiDocument> {
    const { body } = await engine.request('GET', '/api/v1/openapi.json');
    return new ApiDocument(body);
  }

  operation(operationId: string): DocumentedOperation {
    const found = this.operations.find((of) => of.operationId === operationId);
    if (!found) throw new Error(`The document has no operation ${operationId}.`);
    return found;
  }

  /** What is wrong with an answer: an undocumented status or media type, a body that does not fit, a field nobody described. */
  faults(of: DocumentedOperation, status: number, type: string | null, body: unknown): string[] {
    const answer = of.responses[String(status)];
    if (answer === undefined) return [`${of.operationId}: status ${status} is not documented`];
    const media = (type ?? '').split(';')[0] ?? '';
    if (answer.content === undefined)
      return body === null || body === '' ? [] : [`${of.operationId}: a body with ${status}`];
    const described = answer.content[media];
    if (described === undefined) return [`${of.operationId}: ${status} as "${media}" is not documented`];
    if (!media.endsWith('json')) return [];
    const check = this.checkFor(`${of.operationId} ${status} ${media}`, described.schema);
    const faults = check(body)
      ? []
      : (check.errors ?? []).map(
          (error) =>
            `${of.operationId} ${status}: ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
        );
    const code = (body as { code?: string } | null)?.code ?? '';
    const codes = answer['x-codes'];
    if (codes !== undefined && !codes.includes(code))
      faults.push(`${of.operationId}: code ${code} is not documented`);
    return faults;
  }

  /** The schema that a reference leads to. */
  resolve(schema: JsonObject): JsonObject {
    const { $ref } = schema;
    if (typeof $ref !== 'string') return schema;
    return this.document.components.schemas[$ref.replace('#/components/schemas/', '')] as JsonObject;
  }

  private checkFor(key: string, schema: JsonObject): ValidateFunction {
    let check = this.checks.get(key);
    if (check === undefined) {
      check = this.ajv.compile(closed({ ...schema, components: this.document.components }) as JsonObject);
      this.checks.set(key, check);
    }
    return check;
  }
}

/** Readers must take fields they do not know; a test wants to hear of every field that nobody described. */
function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const out: JsonObject = {};
  for (const [key, inner] of Object.entries(schema)) out[key] = closed(inner);
  if (typeof out.properties === 'object' && out.type === 'object' && out.additionalProperties === undefined)
    out.additionalProperties = false;
  return out;
}
