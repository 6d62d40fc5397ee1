import { pageSchema } from '@/lib/protocol/api';
import {
  acceptToolsBodySchema,
  authorizeAnswerSchema,
  healthHistorySchema,
  healthReportSchema,
  serverEventSchema,
  serverEventsQuerySchema,
  serverLogSchema,
  serverToolsSchema,
} from '@/lib/protocol/api-servers';
import { toAppError } from '@/lib/protocol/errors';
import { escapeHtml } from '@/server/adapters/http/html';
import { answers, type Operation, operation, text } from '@/server/adapters/http/operation';
import { REACH } from '@/server/adapters/http/operations/servers';
import type { ServerWatch } from '@/server/services/server-watch';

const ONE = '/api/v1/servers/{name}';
const tag = 'servers';

/** Operations around the state of servers. */
export function serverWatchOperations(watch: ServerWatch): Operation[] {
  return [...state(watch), ...tools(watch), ...access(watch)];
}

function state(watch: ServerWatch): Operation[] {
  return [
    operation({
      id: 'testServer',
      tag,
      method: 'POST',
      path: `${ONE}/test`,
      summary: 'Speak MCP with a server now, and say where it stands.',
      permission: 'servers:call',
      answers: answers(200, 'The report; also when the server cannot be reached.', healthReportSchema),
      errors: ['SERVER_NOT_FOUND'],
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await watch.test(actor, text(params, 'name')),
      }),
    }),
    operation({
      id: 'getServerHealth',
      tag,
      method: 'GET',
      path: `${ONE}/health`,
      summary: 'Read the newest probes of a server.',
      permission: 'servers:read',
      answers: answers(200, 'Probes, oldest first.', healthHistorySchema),
      errors: ['SERVER_NOT_FOUND'],
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await watch.health(actor, text(params, 'name')),
      }),
    }),
    operation({
      id: 'getServerLogs',
      tag,
      method: 'GET',
      path: `${ONE}/logs`,
      summary: 'Read the newest lines of a server’s own log, as this process has seen them.',
      permission: 'servers:call',
      answers: answers(200, 'Lines, oldest first.', serverLogSchema),
      errors: ['SERVER_NOT_FOUND'],
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await watch.logs(actor, text(params, 'name')),
      }),
    }),
    operation({
      id: 'listServerEvents',
      tag,
      method: 'GET',
      path: `${ONE}/events`,
      summary: 'List what happened to a server: connections, changed tools, suspicious descriptions.',
      permission: 'servers:read',
      query: serverEventsQuerySchema,
      answers: answers(200, 'Newest first.', pageSchema(serverEventSchema)),
      errors: ['SERVER_NOT_FOUND'],
      handle: async ({ actor, params, query }) => ({
        status: 200,
        body: await watch.events(actor, text(params, 'name'), query.limit, query.before),
      }),
    }),
    operation({
      id: 'listFleetEvents',
      tag,
      method: 'GET',
      path: '/api/v1/server-events',
      summary: 'List what happened to the servers of the organisation.',
      permission: 'servers:read',
      query: serverEventsQuerySchema,
      answers: answers(200, 'Newest first.', pageSchema(serverEventSchema)),
      errors: [],
      handle: async ({ actor, query }) => ({
        status: 200,
        body: await watch.events(actor, undefined, query.limit, query.before),
      }),
    }),
  ];
}

function tools(watch: ServerWatch): Operation[] {
  return [
    operation({
      id: 'listServerTools',
      tag,
      method: 'GET',
      path: `${ONE}/tools`,
      summary: 'List the tools of a server, and how each stands to its accepted definition.',
      permission: 'servers:read',
      answers: answers(200, 'Every tool, also those that are gone.', serverToolsSchema),
      errors: REACH,
      handle: async ({ actor, params }) => ({
        status: 200,
        body: { items: await watch.tools(actor, text(params, 'name')) },
      }),
    }),
    operation({
      id: 'acceptServerTools',
      tag,
      method: 'POST',
      path: `${ONE}/accept`,
      summary: 'Accept tool definitions as they are now.',
      permission: 'servers:manage',
      body: acceptToolsBodySchema,
      answers: answers(200, 'Every tool.', serverToolsSchema),
      errors: [...REACH, 'TOOL_NOT_FOUND'],
      handle: async ({ actor, params, body }) => ({
        status: 200,
        body: { items: await watch.accept(actor, text(params, 'name'), body.tools) },
      }),
    }),
  ];
}

function access(watch: ServerWatch): Operation[] {
  return [
    operation({
      id: 'authorizeServer',
      tag,
      method: 'POST',
      path: `${ONE}/authorize`,
      summary: 'Start granting access to a remote server (OAuth 2.1).',
      permission: 'servers:manage',
      answers: answers(200, 'The page to visit.', authorizeAnswerSchema),
      errors: REACH,
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await watch.authorize(actor, text(params, 'name')),
      }),
    }),
    operation({
      id: 'finishAuthorization',
      tag,
      method: 'GET',
      path: '/api/oauth/callback',
      summary: 'Where an authorization server sends the browser back to.',
      permission: 'servers:manage',
      hidden: true,
      answers: { 200: { description: 'A page.', content: { 'text/html': null } } },
      errors: ['SERVER_AUTH_REQUIRED'],
      handle: async ({ actor, query }) => {
        try {
          const parameters = new URLSearchParams(query as Record<string, string>);
          const { server } = await watch.finishAuthorization(actor, parameters);
          return page(200, 'Access granted', `${server} may be used now. You can close this page.`);
        } catch (error) {
          const { entry, message } = toAppError(error);
          return page(entry.httpStatus, 'Access was not granted', `${message} ${entry.next}`);
        }
      },
    }),
  ];
}

/** A page that runs nothing and loads nothing. */
function page(status: number, title: string, sentence: string): Response {
  const html =
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>` +
    `<style>body{font:16px/1.5 monospace;background:#0b0e11;color:#d7dde3;padding:4rem}</style>` +
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(sentence)}</p></html>`;
  return new Response(html, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    },
  });
}
