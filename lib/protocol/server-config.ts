import { z } from 'zod';

/**
 * How one MCP server is reached, in the shape that Claude Desktop, VS Code and Cursor share, with our optional
 * fields. Values may hold `${…}` placeholders; `${secret:NAME}` stays a reference until the connection is opened.
 */

/** Name of a server within an organisation: what workflows and `--with` say. */
export const serverNameSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'use letters, digits, dot, underscore and hyphen');

const sharedFields = {
  title: z.string().max(100).optional(),
  disabled: z.boolean().optional(),
  /**
   * Whose credentials connections are opened with: the organisation's (default), or those of the person whose run it is,
   * over connections of their own. `user-or-organization` takes the organisation's where the person has none.
   */
  credentials: z.enum(['organization', 'user', 'user-or-organization']).optional(),
  /** Calls in flight at most; further ones queue in order of arrival. */
  concurrency: z.int().min(1).max(1024).optional(),
  /** Milliseconds one call may take when the caller names no limit of its own. */
  timeoutMs: z.int().min(100).max(3_600_000).optional(),
  /** Folders and files that the server may be told about (roots), as file URIs. */
  roots: z.array(z.url()).max(50).optional(),
  /** Whether questions of the server to the user are put to a person, or refused. Asked by default. */
  elicitation: z.enum(['ask', 'refuse']).optional(),
  /** Requests of the server for a language model's answer: put to a person, to the model set up, or refused (default). */
  sampling: z.enum(['ask', 'endpoint', 'refuse']).optional(),
  /**
   * What a tool whose definition is not the accepted one leads to: nothing, an event (default), or an event and a
   * refusal of its calls until somebody accepts it.
   */
  toolChanges: z.enum(['off', 'warn', 'block']).optional(),
  /** Calls a second that may be started, and how many may start at once. */
  rateLimit: z
    .strictObject({ perSecond: z.number().positive(), burst: z.int().min(1).optional() })
    .optional(),
};

/** A server run as a child process that speaks over its standard streams. */
export const stdioServerConfigSchema = z.strictObject({
  type: z.literal('stdio'),
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  /** Megabytes that the process and its helpers may hold; it is ended above that. 2,048 by default. */
  memoryMb: z.int().min(16).max(1_048_576).optional(),
  /** Working directory; one of its own under the data directory when left out. */
  cwd: z.string().optional(),
  ...sharedFields,
});

/** A server reached over HTTP: Streamable HTTP, or the older HTTP+SSE. */
export const httpServerConfigSchema = z.strictObject({
  type: z.enum(['streamable-http', 'sse']),
  url: z.string().min(1),
  headers: z.record(z.string(), z.string()).default({}),
  /** A client that was registered by hand at the authorization server, and the scope to ask for. */
  oauth: z
    .strictObject({
      /** How access is got: granted by a person (default), or by the client's own credentials, without anybody. */
      grant: z.enum(['authorization-code', 'client-credentials']).optional(),
      clientId: z.string().optional(),
      clientSecret: z.string().optional(),
      /** PEM (PKCS#8) of the key that assertions are signed with instead of sending a secret. */
      privateKey: z.string().optional(),
      /** JWS algorithm of that key; ES256 when left out. */
      algorithm: z.enum(['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'EdDSA']).optional(),
      scope: z.string().optional(),
      /** The authorization server that the client is registered at: its credentials are shown to no other. */
      issuer: z.url().optional(),
    })
    .optional(),
  ...sharedFields,
});

export const serverConfigSchema = z.discriminatedUnion('type', [
  stdioServerConfigSchema,
  httpServerConfigSchema,
]);

export type StdioServerConfig = z.infer<typeof stdioServerConfigSchema>;
export type HttpServerConfig = z.infer<typeof httpServerConfigSchema>;
export type ServerConfig = z.infer<typeof serverConfigSchema>;

/** A configuration under its name. */
export interface NamedServerConfig {
  name: string;
  config: ServerConfig;
}
