import fc from 'fast-check';
import type { Json, JsonObject } from '@/lib/shared/json';
import type { ApiDocument, DocumentedOperation } from './openapi';

/** A request as it goes over the wire. */
export interface RandomRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** Text that has broken servers before. */
const nasty = fc.constantFrom(
  '',
  ' ',
  '0',
  '-1',
  '2147483648',
  '9007199254740993',
  '1e309',
  'NaN',
  'null',
  'true',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  "' OR 1=1 --",
  '\u0000',
  '%',
  '${input.x}',
  '😀',
  '\u202e',
  'x'.repeat(3_000),
  '0000-01-01T00:00:00Z',
  '2026-11-20T00:00:00Z',
  'customer:none',
  'a:\\u0000',
);

const anyText = fc.oneof(nasty, fc.string(), fc.string({ unit: 'binary' }), fc.uuid());
const anyJson: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue() as fc.Arbitrary<Json> },
  { weight: 1, arbitrary: anyText as fc.Arbitrary<Json> },
  { weight: 1, arbitrary: fc.constantFrom<Json>(deep(150), deep(400), 9_007_199_254_740_991, -1, 1e308) },
);

function deep(levels: number): Json {
  let value: Json = 1;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Mostly what a schema asks for, sometimes anything at all; containers may miss fields or have more. */
function fitting(schema: JsonObject, document: ApiDocument, depth = 0): fc.Arbitrary<Json> {
  if (depth > 6) return fc.constant(null);
  const of = document.resolve(schema);
  const choices = (of.anyOf ?? of.oneOf) as JsonObject[] | undefined;
  const right = ((): fc.Arbitrary<Json> => {
    if (of.const !== undefined) return fc.constant(of.const);
    if (Array.isArray(of.enum)) return fc.constantFrom(...of.enum);
    if (choices !== undefined)
      return fc.oneof(...choices.map((choice) => fitting(choice, document, depth + 1)));
    switch (of.type) {
      case 'object': {
        const properties = Object.entries((of.properties ?? {}) as Record<string, JsonObject>);
        const required = properties.length === 0 ? {} : { requiredKeys: (of.required ?? []) as string[] };
        const shape = Object.fromEntries(
          properties.map(([name, inner]) => [name, fitting(inner, document, depth + 1)]),
        );
        return fc.record(shape, required as { requiredKeys: [] }) as fc.Arbitrary<Json>;
      }
      case 'array':
        return fc.array(fitting((of.items ?? {}) as JsonObject, document, depth + 1), { maxLength: 3 });
      case 'integer':
        return fc.integer();
      case 'number':
        return fc.double({ noNaN: true, noDefaultInfinity: true });
      case 'boolean':
        return fc.boolean();
      case 'string':
        return anyText;
      default:
        return anyJson;
    }
  })();
  return fc.oneof({ weight: 7, arbitrary: right }, { weight: 1, arbitrary: anyJson });
}

/** Any request for an operation, from quite right to nonsense. Long polls are kept short. */
export function randomRequest(
  of: DocumentedOperation,
  document: ApiDocument,
  ids: Record<string, readonly string[]>,
): fc.Arbitrary<RandomRequest> {
  const parts = of.parameters.map((parameter) => {
    const known = ids[parameter.name];
    const right = fitting(parameter.schema, document).map(textOf);
    const value =
      parameter.name === 'waitMs'
        ? fc.constantFrom('0', '20', '-1', '30001', 'soon')
        : known !== undefined
          ? fc.oneof(fc.constantFrom(...known), anyText)
          : fc.oneof(right, anyText);
    const isPath = parameter.in === 'path';
    return { parameter, value: isPath ? value : fc.option(value, { nil: undefined, freq: 2 }) };
  });
  const extra = fc.option(fc.tuple(anyText, anyText), { nil: undefined, freq: 8 });
  const body =
    of.body === undefined
      ? fc.constant(undefined)
      : fc.oneof(
          { weight: 8, arbitrary: fitting(of.body, document).map((value) => JSON.stringify(value)) },
          { weight: 1, arbitrary: fc.string() },
        );
  const type = fc.constantFrom(
    'application/json',
    'application/json',
    'application/json',
    'application/yaml',
    'text/plain',
  );
  return fc
    .tuple(fc.tuple(...parts.map(({ value }) => value)), extra, body, type)
    .map(([values, more, text, media]) => {
      let { path } = of;
      const query = new URLSearchParams();
      const headers: Record<string, string> = {};
      parts.forEach(({ parameter }, i) => {
        const value = values[i];
        if (value === undefined) return;
        if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, () => segment(value));
        else if (parameter.in === 'query') query.set(parameter.name, wellFormed(value));
        else headers[parameter.name.toLowerCase()] = printable(value);
      });
      if (more !== undefined) query.set(wellFormed(more[0]), wellFormed(more[1]));
      if (text !== undefined) headers['content-type'] = media;
      const search = query.size === 0 ? '' : `?${query}`;
      return { method: of.method, path: path + search, headers, body: text };
    });
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A path segment: never empty and never dots alone, which would be another address. */
function segment(text: string): string {
  const encoded = encodeURIComponent(wellFormed(text));
  return encoded === '' || /^\.+$/.test(encoded) ? 'x' : encoded;
}

/** What a URL can carry: half a surrogate pair becomes the replacement character. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** What fetch lets into a header. */
function printable(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, '?')
    .trim()
    .slice(0, 4_000);
}
