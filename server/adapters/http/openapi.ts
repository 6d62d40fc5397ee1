import { z } from 'zod';
import { ERROR_CATALOGUE, type ErrorCode, problemSchema } from '@/lib/protocol/errors';
import { weakestRole } from '@/lib/protocol/permissions';
import { isJsonObject, type JsonObject } from '@/lib/shared/json';
import { SchemaCollection } from '@/server/adapters/http/openapi-schemas';
import {
  type AnswerSpec,
  type Operation,
  type RequestHeader,
  TAGS,
  type Tag,
} from '@/server/adapters/http/operation';

const TAG_TEXTS: Record<Tag, string> = {
  workflows: 'Definitions and their versions.',
  runs: 'Runs: start, find, read, command, run again.',
  tasks: 'What waits for people, and their answers.',
  schedules: 'Runs that start by the clock.',
  webhooks: 'Other programs: what they post to us, and what they are told.',
  alerts: 'What is wrong now, and from when on something counts as wrong.',
  bulk: 'One command to many runs.',
  servers: 'MCP servers and their tools.',
  events: 'What happens, as pages, long polls and streams.',
  views: 'Saved views of the list of runs.',
  settings: 'What the organisation has set, and what the process was started with.',
  identity: 'Who may come in, and what they may do.',
  audit: 'Who wrote what, when, from where; and what is used of what is allowed.',
  about: 'This API.',
};

const HEADER_TEXTS: Record<RequestHeader, { description: string; pattern?: string }> = {
  'Idempotency-Key': {
    description: 'The same key with the same request is carried out once and answered alike.',
    pattern: '^[!-~]{1,255}$',
  },
  'If-Match': {
    description: 'ETag of the version that was read: refused when it is no longer the newest one.',
  },
  'If-None-Match': {
    description:
      'When reading: ETag of the version that is at hand. When publishing: `*`, for a name that is new.',
  },
  'Last-Event-ID': {
    description: 'Number of the last entry seen; a stream goes on behind it.',
    pattern: '^\\d{1,15}$',
  },
};

/** Codes that every operation can fail with. */
const COMMON: ErrorCode[] = [
  'INVALID_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'FORBIDDEN_ORIGIN',
  'RATE_LIMITED',
  'INTERNAL',
  'DATABASE_UNAVAILABLE',
];
const WITH_BODY: ErrorCode[] = ['INVALID_JSON', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE'];

/** The OpenAPI 3.1 document of the operations: made from the very schemas that check requests. */
export function openApiDocument(operations: readonly Operation[], version: string) {
  const schemas = new SchemaCollection();
  const problem = schemas.add(z.array(problemSchema), 'output').items as JsonObject;
  const paths: Record<string, JsonObject> = {};
  for (const of of operations) {
    if (of.hidden) continue;
    const path = paths[of.path] ?? {};
    paths[of.path] = path;
    path[of.method.toLowerCase()] = describe(of, schemas, problem);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'OpenConductor',
      version,
      summary: 'Durable workflows over MCP servers.',
      description:
        'Times are ISO 8601 in UTC. Lists come in pages: give `nextCursor` back as `cursor`. Every error is a problem document (RFC 9457) ' +
        'with a `code` of the catalogue, the `path` of the field and the `next` step. Commands to runs are acknowledged once they are durable.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: TAGS.map((name) => ({ name, description: TAG_TEXTS[name] })),
    paths,
    components: { schemas: sorted(schemas.components) },
  };
}

export type OpenApiDocument = ReturnType<typeof openApiDocument>;

function describe(of: Operation, schemas: SchemaCollection, problem: JsonObject): JsonObject {
  return {
    operationId: of.id,
    tags: [of.tag],
    summary: of.summary,
    ...(of.description === undefined ? {} : { description: of.description }),
    'x-permission': of.permission,
    'x-role': weakestRole(of.permission),
    parameters: [...pathParameters(of, schemas), ...queryParameters(of, schemas), ...headerParameters(of)],
    ...(of.open ? { security: [] } : {}),
    ...(of.body === undefined && !of.rawBody ? {} : { requestBody: requestBody(of, schemas) }),
    responses: { ...successes(of, schemas), ...failures(of, problem) },
  };
}

function pathParameters(of: Operation, schemas: SchemaCollection): JsonObject[] {
  const names = [...of.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
  const known = of.params ? propertiesOf(schemas.add(of.params, 'input')) : {};
  return names.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: known[name] ?? { type: 'string' },
  }));
}

function queryParameters(of: Operation, schemas: SchemaCollection): JsonObject[] {
  if (!of.query) return [];
  const schema = schemas.add(of.query, 'input');
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(propertiesOf(schema)).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: 'query',
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

function headerParameters(of: Operation): JsonObject[] {
  return (of.headers ?? []).map((name) => {
    const { description, pattern } = HEADER_TEXTS[name];
    const schema = { type: 'string', ...(pattern === undefined ? {} : { pattern }) };
    return { name, in: 'header', required: false, description, schema };
  });
}

function requestBody(of: Operation, schemas: SchemaCollection): JsonObject {
  const schema = of.body ? schemas.add(of.body, 'input') : {};
  const content: JsonObject = { 'application/json': { schema } };
  if (of.yaml) content['application/yaml'] = { schema };
  if (of.rawBody) content['*/*'] = { schema: {} };
  return { required: true, content };
}

function successes(of: Operation, schemas: SchemaCollection): JsonObject {
  return Object.fromEntries(
    Object.entries(of.answers).map(([status, answer]: [string, AnswerSpec]) => {
      const content = Object.entries(answer.content ?? {}).map(([type, schema]) => [
        type,
        { schema: schema === null ? { type: 'string' } : schemas.add(schema, 'output') },
      ]);
      const headers = (answer.headers ?? []).map((name) => [name, { schema: { type: 'string' } }]);
      const body: JsonObject = {
        description: answer.description,
        ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) as JsonObject }),
        ...(content.length === 0 ? {} : { content: Object.fromEntries(content) as JsonObject }),
      };
      return [status, body];
    }),
  );
}

/** Error answers by status, each naming its codes. */
function failures(of: Operation, problem: JsonObject): JsonObject {
  const codes = new Set<ErrorCode>([...COMMON, ...of.errors]);
  if (of.body) for (const code of WITH_BODY) codes.add(code);
  if (of.yaml) codes.add('INVALID_YAML');
  if (of.headers?.includes('Idempotency-Key')) codes.add('IDEMPOTENCY_CONFLICT');
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const status = ERROR_CATALOGUE[code].httpStatus;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, names]) => [
        String(status),
        {
          description: names.map((code) => `\`${code}\`: ${ERROR_CATALOGUE[code].next}`).join('\n\n'),
          'x-codes': names,
          content: { 'application/problem+json': { schema: problem } },
        },
      ]),
  );
}

function propertiesOf(schema: JsonObject): Record<string, JsonObject> {
  return isJsonObject(schema.properties) ? (schema.properties as Record<string, JsonObject>) : {};
}

function sorted(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
