/**
 * The client under test of the official conformance suite: our fleet, driven over one server. The suite appends the
 * server's address as the last argument and tells the scenario by environment variables. A person is played by
 * following the sign-in page's redirect.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Tool } from '@/lib/protocol/api';
import { isAppError } from '@/lib/protocol/errors';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';
import { createMcpFleet } from '@/server/adapters/mcp/fleet';
import { MemoryOAuthStore } from '@/server/adapters/memory/oauth-store';
import type { InputAnswer, ToolCall, ToolOutcome } from '@/server/ports/mcp-fleet';
import { staticServerRegistry } from '@/server/services/fleet-config';

const ORGANIZATION = 'conformance';
const SERVER = 'server';
/** A client that is sent to the sign-in page again and again has to stop by itself. */
const MAX_GRANTS = 3;

interface Context {
  client_id?: string;
  client_secret?: string;
  private_key_pem?: string;
  signing_algorithm?: string;
  toolCalls?: Array<{ name: string; arguments?: JsonObject }>;
}

const url = process.argv.at(-1) ?? '';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}') as Context;
/** Scenarios without a person. */
const machine = process.env.MCP_CONFORMANCE_SCENARIO?.startsWith('auth/client-credentials') === true;
const dataDir = mkdtempSync(path.join(tmpdir(), 'oc-conformance-'));
const note = (facts: object, message: string) => console.error(message, JSON.stringify(facts));

const fleet = createMcpFleet({
  servers: staticServerRegistry(ORGANIZATION, [
    {
      name: SERVER,
      config: {
        type: 'streamable-http',
        url,
        headers: {},
        sampling: 'ask',
        roots: ['file:///data'],
        ...(context.client_id === undefined
          ? {}
          : {
              oauth: {
                ...(machine ? { grant: 'client-credentials' as const } : {}),
                ...(machine && context.private_key_pem !== undefined
                  ? {
                      privateKey: context.private_key_pem,
                      algorithm: (context.signing_algorithm ?? 'ES256') as 'ES256',
                    }
                  : {}),
                clientId: context.client_id,
                ...(context.client_secret === undefined ? {} : { clientSecret: context.client_secret }),
              },
            }),
      },
    },
  ]),
  clock: {
    now: () => Date.now(),
    at: (atMs, run) => {
      const timer = setTimeout(run, Math.max(0, atMs - Date.now()));
      return () => clearTimeout(timer);
    },
  },
  log: { debug: note, info: note, warn: note },
  dataDir,
  stdioCommands: [],
  environment: {},
  network: { allowLoopback: true, allowPrivate: false },
  oauth: {
    store: new MemoryOAuthStore(),
    redirectUrl: 'http://localhost:3000/callback',
    clientName: 'OpenConductor',
    clientMetadataUrl: 'https://conformance-test.local/client-metadata.json',
  },
});

let grants = 0;

/** Plays the person who signs in; false when there was nothing to grant or it was enough. */
async function grant(): Promise<boolean> {
  if (grants >= MAX_GRANTS) return false;
  grants++;
  const page = await fleet.authorize(ORGANIZATION, SERVER);
  if (page === null) return false;
  const response = await fetch(page, { redirect: 'manual' });
  const location = response.headers.get('location');
  if (location === null)
    throw new Error(`the sign-in page answered HTTP ${response.status} without a redirect`);
  await fleet.finishAuthorization(ORGANIZATION, new URL(location).searchParams);
  return true;
}

async function signedIn<T>(action: () => Promise<T>, needsGrant: (result: T | Error) => boolean): Promise<T> {
  for (;;) {
    const result = await action().catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    );
    if (needsGrant(result) && (await grant())) continue;
    if (result instanceof Error) throw result;
    return result;
  }
}

/** Arguments that fit a schema: every required field, filled simply. */
function sample(schema: Json): JsonObject {
  const filled: JsonObject = {};
  if (!isJsonObject(schema) || !isJsonObject(schema.properties)) return filled;
  const required = Array.isArray(schema.required) ? schema.required : Object.keys(schema.properties);
  for (const [name, field] of Object.entries(schema.properties)) {
    if (!required.includes(name) || !isJsonObject(field)) continue;
    const { type } = field;
    if (field.default !== undefined) filled[name] = field.default;
    else if (Array.isArray(field.enum)) filled[name] = field.enum[0] ?? null;
    else if (type === 'number' || type === 'integer') filled[name] = 5;
    else if (type === 'boolean') filled[name] = true;
    else if (type === 'array') filled[name] = [];
    else if (type === 'object') filled[name] = sample(field);
    else filled[name] = 'test';
  }
  return filled;
}

const onInputRequired: NonNullable<ToolCall['onInputRequired']> = async ({ requests }) => {
  const answers: Record<string, InputAnswer> = {};
  for (const request of requests) {
    if (request.kind === 'sampling') {
      const result = { role: 'assistant', model: 'none', content: { type: 'text', text: 'An answer.' } };
      answers[request.key] = { action: 'result', result };
    } else {
      const content = request.kind === 'form' ? sample(request.schema) : {};
      answers[request.key] = { action: 'accept', content };
    }
  }
  return answers;
};

let keys = 0;

function call(name: string, args: JsonObject): Promise<ToolOutcome> {
  keys++;
  return fleet.call({
    organizationId: ORGANIZATION,
    server: SERVER,
    tool: name,
    arguments: args,
    idempotencyKey: `conformance-${keys}`,
    timeoutMs: 15_000,
    signal: new AbortController().signal,
    onInputRequired,
    onProgress: () => undefined,
  });
}

/** The suite's own calls carry nulls for fields that may only be left out: a caller of ours leaves them out. */
function withoutNulls(args: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null));
}

function callsFor(tools: readonly Tool[]): Array<{ name: string; arguments: JsonObject }> {
  const { toolCalls } = context;
  if (toolCalls !== undefined) {
    return toolCalls.map(({ name, arguments: args }) => ({ name, arguments: withoutNulls(args ?? {}) }));
  }
  return tools.map((tool) => {
    // One scenario has a tool that wants to be told the schema of another one, as the client has understood it.
    const other = tools.find(({ name }) => name !== tool.name);
    const echo = tool.name === 'json_schema_echo' && other !== undefined;
    return { name: tool.name, arguments: echo ? { schema: other.inputSchema } : sample(tool.inputSchema) };
  });
}

async function main(): Promise<void> {
  const authRequired = (error: unknown) => isAppError(error) && error.code === 'SERVER_AUTH_REQUIRED';
  const detail = await signedIn(() => fleet.inspect(ORGANIZATION, SERVER), authRequired);
  for (const { name, arguments: args } of callsFor(detail.toolList)) {
    const refused = (result: ToolOutcome | Error) =>
      !(result instanceof Error) && !result.ok && result.failure.code === 'SERVER_AUTH_REQUIRED';
    const outcome = await signedIn(() => call(name, args), refused);
    console.error(
      `called ${name}: ${outcome.ok ? 'ok' : `${outcome.failure.code} ${outcome.failure.message}`}`,
    );
  }
}

try {
  await main();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await fleet.close();
  rmSync(dataDir, { recursive: true, force: true });
}
