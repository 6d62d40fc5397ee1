import {
  callToolBodySchema,
  callToolResultSchema,
  pageSchema,
  serverDetailSchema,
  serverSummarySchema,
} from '@/lib/protocol/api';
import type { ErrorCode } from '@/lib/protocol/errors';
import { answers, type Operation, operation, text } from '@/server/adapters/http/operation';
import type { ServerService } from '@/server/services/server-service';

/** What can go wrong on the way to a server. */
export const REACH: ErrorCode[] = [
  'SERVER_NOT_FOUND',
  'SERVER_START_FAILED',
  'SERVER_AUTH_REQUIRED',
  'SERVER_NOT_CONFIGURED',
  'COMMAND_NOT_ALLOWED',
  'ADDRESS_NOT_ALLOWED',
  'NETWORK_ERROR',
  'PROTOCOL_ERROR',
  'TIMEOUT',
  'CIRCUIT_OPEN',
];

/** Operations around MCP servers. */
export function serverOperations({ servers }: { servers: ServerService }): Operation[] {
  return [
    operation({
      id: 'listServers',
      tag: 'servers',
      method: 'GET',
      path: '/api/v1/servers',
      summary: 'List the MCP servers of the organisation.',
      description: 'Opens no connection.',
      permission: 'servers:read',
      answers: answers(200, 'Every server with its state.', pageSchema(serverSummarySchema)),
      errors: [],
      handle: async ({ actor }) => ({
        status: 200,
        body: { items: await servers.list(actor), nextCursor: null },
      }),
    }),
    operation({
      id: 'getServer',
      tag: 'servers',
      method: 'GET',
      path: '/api/v1/servers/{name}',
      summary: 'Connect to a server and read what it offers.',
      permission: 'servers:read',
      answers: answers(200, 'The server and its tools.', serverDetailSchema),
      errors: REACH,
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await servers.inspect(actor, text(params, 'name')),
      }),
    }),
    operation({
      id: 'callTool',
      tag: 'servers',
      method: 'POST',
      path: '/api/v1/servers/{name}/call',
      summary: 'Call one tool of a server directly, outside any workflow.',
      description:
        'Once, without retries. An error that the tool itself reports is an answer with `isError`.',
      permission: 'servers:call',
      body: callToolBodySchema,
      contents: ['/arguments'],
      answers: answers(200, 'What the tool gave back.', callToolResultSchema),
      errors: [
        ...REACH,
        'TOOL_NOT_FOUND',
        'TOOL_BLOCKED',
        'TOOL_ERROR',
        'INVALID_TOOL_ARGUMENTS',
        'INVALID_TOOL_RESULT',
        'INPUT_REQUIRED',
        'RATE_LIMITED',
        'CANCELLED',
      ],
      handle: async ({ actor, params, body, signal }) => ({
        status: 200,
        body: await servers.call(actor, text(params, 'name'), body.tool, body.arguments, signal),
      }),
    }),
  ];
}
