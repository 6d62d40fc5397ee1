import { z } from 'zod';
import { docsPage } from '@/server/adapters/http/docs-page';
import { openApiDocument } from '@/server/adapters/http/openapi';
import { answers, type Operation, operation } from '@/server/adapters/http/operation';

/** The description of the API itself: as a document and as a page. Both are made at the first request. */
export function aboutOperations(all: () => readonly Operation[], version: string): Operation[] {
  let document: ReturnType<typeof openApiDocument> | undefined;
  const read = () => {
    document ??= openApiDocument(all(), version);
    return document;
  };
  let page: string | undefined;
  return [
    operation({
      id: 'getOpenApi',
      tag: 'about',
      method: 'GET',
      path: '/api/v1/openapi.json',
      summary: 'Read this API as an OpenAPI 3.1 document.',
      permission: 'about:read',
      answers: answers(200, 'The document.', z.looseObject({ openapi: z.string() })),
      errors: [],
      handle: async () => ({ status: 200, body: read() }),
    }),
    operation({
      id: 'getDocs',
      tag: 'about',
      method: 'GET',
      path: '/api/docs',
      summary: 'Browse this API.',
      permission: 'about:read',
      hidden: true,
      answers: { 200: { description: 'A page.', content: { 'text/html': null } } },
      errors: [],
      handle: async () => {
        page ??= docsPage(read());
        return new Response(page, {
          headers: {
            'content-type': 'text/html; charset=utf-8',
            'cache-control': 'no-store',
            'content-security-policy':
              "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'",
          },
        });
      },
    }),
  ];
}
