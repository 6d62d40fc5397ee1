import { AppError, jsonPointer } from '@/lib/protocol/errors';
import { type NamedServerConfig, serverConfigSchema, serverNameSchema } from '@/lib/protocol/server-config';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';
import { withType } from '@/server/services/fleet-config';

/** What a file of another program holds, in our form. */
export interface ImportedServers {
  servers: NamedServerConfig[];
  /** Values that look secret, taken out of the configuration: store them under these names before the first use. */
  secrets: Array<{ name: string; value: string | null; usedBy: string; pointer: string }>;
  /** What could not be taken over, and where. */
  problems: Array<{ pointer: string; message: string }>;
}

/** Fields of other programs that say nothing to us. */
const IGNORED = new Set([
  'envFile',
  'alwaysAllow',
  'autoApprove',
  'gallery',
  'version',
  'dev',
  'sandboxEnabled',
  'sandbox',
]);
const KNOWN = new Set([
  'type',
  'transport',
  'command',
  'args',
  'env',
  'cwd',
  'url',
  'serverUrl',
  'headers',
  'disabled',
  'timeout',
  ...IGNORED,
]);
const SECRET_NAME =
  /(token|secret|passw|api[-_]?key|apikey|authorization|credential|private[-_]?key|\bpat\b|_pat$)/i;

/**
 * Reads the MCP servers of a configuration of Claude Desktop, Cursor, Windsurf (`mcpServers`) or VS Code (`servers` in
 * mcp.json, `mcp.servers` in the settings). Comments and trailing commas are taken as VS Code takes them.
 *
 * @param text the file
 * @param workspace what `${workspaceFolder}` stands for
 * @throws INVALID_JSON or INVALID_INPUT when the file as a whole is of no use
 */
export function importServers(text: string, workspace: string): ImportedServers {
  const root = parseJsonc(text);
  const found = findServers(root);
  if (found === undefined) {
    throw new AppError('INVALID_INPUT', 'The file has neither `mcpServers` nor `servers`.', { path: '/' });
  }
  const result: ImportedServers = { servers: [], secrets: [], problems: [] };
  const names = new Set<string>();
  for (const [original, raw] of Object.entries(found.servers)) {
    const at = [...found.path, original];
    if (!isJsonObject(raw)) {
      result.problems.push({ pointer: jsonPointer(at), message: 'is not an object' });
      continue;
    }
    const name = freeName(original, names);
    const config = serverConfigSchema.safeParse(withType(convert(name, raw, at, workspace, result)));
    if (config.success) {
      names.add(name);
      result.servers.push({ name, config: config.data });
      continue;
    }
    for (const issue of config.error.issues) {
      result.problems.push({ pointer: jsonPointer([...at, ...issue.path]), message: issue.message });
    }
  }
  return result;
}

function findServers(root: Json): { servers: JsonObject; path: string[] } | undefined {
  if (!isJsonObject(root)) return undefined;
  for (const path of [['mcpServers'], ['servers'], ['mcp', 'servers'], ['mcp.servers']]) {
    let value: Json | undefined = root;
    for (const part of path) value = isJsonObject(value) ? value[part] : undefined;
    if (isJsonObject(value)) return { servers: value, path };
  }
  return undefined;
}

/** A name that is allowed and not taken. */
function freeName(original: string, taken: ReadonlySet<string>): string {
  const plain =
    original
      .trim()
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+|-+$/g, '')
      .slice(0, 60) || 'server';
  for (let n = 1; ; n++) {
    const name = n === 1 ? plain : `${plain}-${n}`;
    if (!taken.has(name) && serverNameSchema.safeParse(name).success) return name;
  }
}

function convert(
  server: string,
  raw: JsonObject,
  at: readonly string[],
  workspace: string,
  result: ImportedServers,
): JsonObject {
  const config: JsonObject = {};
  for (const field of Object.keys(raw)) {
    if (!KNOWN.has(field)) {
      result.problems.push({
        pointer: jsonPointer([...at, field]),
        message: 'is not known here and was left out',
      });
    }
  }
  const text = (value: Json, path: readonly string[]): Json => {
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    return typeof value === 'string' ? placeholders(value, path, workspace, server, result) : value;
  };
  const { transport, serverUrl } = raw;
  for (const field of ['type', 'command', 'cwd', 'url']) {
    const value = raw[field];
    if (value !== undefined) config[field] = text(value, [...at, field]);
  }
  if (config.type === undefined && typeof transport === 'string') config.type = transport;
  if (config.url === undefined && typeof serverUrl === 'string')
    config.url = text(serverUrl, [...at, 'serverUrl']);
  if (config.type === undefined && typeof config.url === 'string' && /\/sse\/?$/.test(config.url))
    config.type = 'sse';
  if (Array.isArray(raw.args))
    config.args = raw.args.map((item, index) => text(item, [...at, 'args', String(index)]));
  else if (raw.args !== undefined) config.args = raw.args;
  for (const field of ['env', 'headers']) {
    const value = raw[field];
    if (!isJsonObject(value)) continue;
    const entries = Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => {
        const path = [...at, field, key];
        const filled = text(inner, path);
        return [
          key,
          typeof filled === 'string' ? hideSecret(filled, key, path, server, result) : filled,
        ] as const;
      });
    config[field] = Object.fromEntries(entries);
  }
  if (raw.disabled === true) config.disabled = true;
  // Cline counts in seconds.
  if (typeof raw.timeout === 'number')
    config.timeoutMs = raw.timeout < 1000 ? raw.timeout * 1000 : raw.timeout;
  return config;
}

function placeholders(
  value: string,
  path: readonly string[],
  workspace: string,
  server: string,
  result: ImportedServers,
): string {
  return value.replace(/\$\{([^}]+)\}/g, (whole, inside: string) => {
    const [kind, name = ''] = inside.split(/:(.*)/s);
    switch (kind) {
      case 'workspaceFolder':
      case 'workspaceRoot':
        return workspace;
      case 'input': {
        const secret = secretName(server, name);
        const { secrets } = result;
        if (!secrets.some((known) => known.name === secret)) {
          secrets.push({ name: secret, value: null, usedBy: server, pointer: jsonPointer([...path]) });
        }
        return `\${secret:${secret}}`;
      }
      case 'env':
      case 'secret':
        return whole;
      default:
        result.problems.push({ pointer: jsonPointer([...path]), message: `${whole} is not known here` });
        return whole;
    }
  });
}

/** Replaces a value that looks secret (by its key, or by a scheme such as Bearer) by a reference, and notes it. */
export function hideSecret(
  value: string,
  key: string,
  path: readonly string[],
  server: string,
  result: ImportedServers,
): string {
  const bearer = /^(Bearer|Basic|token)\s+(.+)$/i.exec(value);
  const bare = bearer?.[2] ?? value;
  if (bare === '' || bare.includes('${') || !(SECRET_NAME.test(key) || bearer !== null)) return value;
  const name = secretName(server, key);
  result.secrets.push({ name, value: bare, usedBy: server, pointer: jsonPointer([...path]) });
  return `${bearer === null ? '' : `${bearer[1]} `}\${secret:${name}}`;
}

function secretName(server: string, key: string): string {
  return `${server}_${key}`.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
}

/** JSON with comments and trailing commas. Throws INVALID_JSON. */
function parseJsonc(text: string): Json {
  const plain = text
    .replace(/^\ufeff/, '')
    .replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_whole, quoted?: string) => quoted ?? ' ')
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_whole, quoted?: string) => quoted ?? '');
  try {
    return JSON.parse(plain) as Json;
  } catch (error) {
    throw new AppError(
      'INVALID_JSON',
      `The file is not valid JSON: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
}
