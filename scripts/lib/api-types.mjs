/** The TypeScript of lib/api-client/generated/schema.ts, from the OpenAPI document. */
import openapiTS, { astToString } from 'openapi-typescript';
import { readApi } from './api-document.mjs';

const HEAD = `/**
 * Generated from the REST operations by \`node scripts/generate-api-client.mjs\`: not to be edited. A test compares it with what
 * the generator would write now.
 */
// biome-ignore-all lint: generated
// biome-ignore-all format: generated
// biome-ignore-all assist: generated

`;

/** The text that the file ought to have. */
export async function apiTypes() {
  const { document } = await readApi();
  const nodes = await openapiTS(JSON.stringify(lean(document)), { alphabetize: true });
  return HEAD + astToString(nodes);
}

/** Without what the types do not need: each error answer becomes the one problem document that all of them are. */
function lean(document) {
  const paths = Object.entries(document.paths).map(([path, methods]) => [
    path,
    Object.fromEntries(Object.entries(methods).map(([method, of]) => [method, leanOperation(of)])),
  ]);
  return { ...document, paths: Object.fromEntries(paths) };
}

function leanOperation(of) {
  const { description: _, ...rest } = of;
  const statuses = Object.entries(of.responses);
  const good = statuses.filter(([status]) => Number(status) < 400);
  const [, bad] = statuses.find(([status]) => Number(status) >= 400) ?? [];
  const problem = { description: 'A problem document.', content: bad?.content };
  return { ...rest, responses: { ...Object.fromEntries(good), ...(bad ? { default: problem } : {}) } };
}
