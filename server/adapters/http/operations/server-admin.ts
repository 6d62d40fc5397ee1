import { z } from 'zod';
import { pageSchema } from '@/lib/protocol/api';
import {
  addServerBodySchema,
  editServerBodySchema,
  importServersAnswerSchema,
  importServersBodySchema,
  secretInfoSchema,
  secretNameSchema,
  serverConfigAnswerSchema,
  setSecretBodySchema,
} from '@/lib/protocol/api-servers';
import { answers, type Operation, operation, text } from '@/server/adapters/http/operation';
import { personalSecretOperations } from '@/server/adapters/http/operations/personal-secrets';
import type { SecretService } from '@/server/services/secret-service';
import type { ServerAdmin } from '@/server/services/server-admin';

const BASE = '/api/v1/servers';
const SECRETS = '/api/v1/secrets';
const tag = 'servers';
const secretParams = z.object({ name: secretNameSchema });

/** Operations that add, change and remove servers and secrets. */
export function serverAdminOperations(admin: ServerAdmin, secrets: SecretService): Operation[] {
  return [...serverChanges(admin), ...secretChanges(secrets), ...personalSecretOperations(secrets)];
}

function serverChanges(admin: ServerAdmin): Operation[] {
  return [
    operation({
      id: 'addServer',
      tag,
      method: 'POST',
      path: BASE,
      summary: 'Add an MCP server.',
      description:
        'Values of `env` and `headers` that look secret are stored as secrets and replaced by `${secret:NAME}`. Nothing is connected: test it with `/test`.',
      permission: 'servers:manage',
      body: addServerBodySchema,
      answers: answers(201, 'The server as it is kept.', serverConfigAnswerSchema, ['Location']),
      errors: ['SERVER_EXISTS', 'COMMAND_NOT_ALLOWED', 'QUOTA_EXCEEDED'],
      handle: async ({ actor, body }) => ({
        status: 201,
        body: await admin.add(actor, body.name, body.config),
        headers: { location: `${BASE}/${encodeURIComponent(body.name)}` },
      }),
    }),
    operation({
      id: 'importServers',
      tag,
      method: 'POST',
      path: `${BASE}/import`,
      summary: 'Take over the servers of a file of Claude Desktop, VS Code, Cursor or Windsurf.',
      permission: 'servers:manage',
      body: importServersBodySchema,
      answers: answers(200, 'What was added, and what could not be.', importServersAnswerSchema),
      errors: ['INVALID_JSON'],
      handle: async ({ actor, body }) => ({
        status: 200,
        body: await admin.import(actor, body.text, body.workspaceFolder),
      }),
    }),
    operation({
      id: 'getServerConfig',
      tag,
      method: 'GET',
      path: `${BASE}/{name}/config`,
      summary: 'Read the configuration of a server that was added at run time.',
      permission: 'servers:manage',
      answers: answers(200, 'The configuration; secrets as references.', serverConfigAnswerSchema),
      errors: ['SERVER_NOT_FOUND', 'SERVER_READ_ONLY'],
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await admin.show(actor, text(params, 'name')),
      }),
    }),
    operation({
      id: 'replaceServer',
      tag,
      method: 'PUT',
      path: `${BASE}/{name}`,
      summary: 'Replace the configuration of a server; the next call uses it.',
      permission: 'servers:manage',
      body: editServerBodySchema,
      answers: answers(200, 'The server as it is kept.', serverConfigAnswerSchema),
      errors: ['SERVER_NOT_FOUND', 'SERVER_READ_ONLY', 'COMMAND_NOT_ALLOWED'],
      handle: async ({ actor, params, body }) => ({
        status: 200,
        body: await admin.replace(actor, text(params, 'name'), body.config),
      }),
    }),
    operation({
      id: 'deleteServer',
      tag,
      method: 'DELETE',
      path: `${BASE}/{name}`,
      summary: 'Remove a server, with its accepted tools and granted access.',
      permission: 'servers:manage',
      answers: { 204: { description: 'It is gone.' } },
      errors: ['SERVER_NOT_FOUND', 'SERVER_READ_ONLY'],
      handle: async ({ actor, params }) => {
        await admin.remove(actor, text(params, 'name'));
        return { status: 204, body: null };
      },
    }),
  ];
}

function secretChanges(secrets: SecretService): Operation[] {
  return [
    operation({
      id: 'listSecrets',
      tag,
      method: 'GET',
      path: SECRETS,
      summary: 'List the names of secrets; their values are never shown.',
      permission: 'secrets:read',
      answers: answers(200, 'Every secret.', pageSchema(secretInfoSchema)),
      errors: [],
      handle: async ({ actor }) => ({
        status: 200,
        body: { items: await secrets.list(actor), nextCursor: null },
      }),
    }),
    operation({
      id: 'setSecret',
      tag,
      method: 'PUT',
      path: `${SECRETS}/{name}`,
      summary: 'Set a secret: what `${secret:NAME}` stands for in the configuration of servers.',
      permission: 'secrets:write',
      params: secretParams,
      body: setSecretBodySchema,
      answers: { 204: { description: 'It is kept, sealed.' } },
      errors: [],
      handle: async ({ actor, params, body }) => {
        await secrets.set(actor, params.name, body.value);
        return { status: 204, body: null };
      },
    }),
    operation({
      id: 'deleteSecret',
      tag,
      method: 'DELETE',
      path: `${SECRETS}/{name}`,
      summary: 'Remove a secret.',
      permission: 'secrets:write',
      params: secretParams,
      answers: { 204: { description: 'It is gone.' } },
      errors: ['SECRET_NOT_FOUND'],
      handle: async ({ actor, params }) => {
        await secrets.remove(actor, params.name);
        return { status: 204, body: null };
      },
    }),
  ];
}
