import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { AppError, jsonPointer } from '@/lib/protocol/errors';
import {
  type NamedServerConfig,
  type ServerConfig,
  serverConfigSchema,
  serverNameSchema,
} from '@/lib/protocol/server-config';
import { isJsonObject } from '@/lib/shared/json';
import type { ServerRegistry } from '@/server/ports/mcp-fleet';

/** What the placeholders of a configuration file stand for. */
export interface FleetConfigVars {
  /** `${workspace}`: the folder with documents that bundled servers work on. */
  workspace: string;
  /** `${dataDir}` */
  dataDir: string;
  /** Folders whose `node_modules` are searched for `${packageBin:NAME}`, in order. */
  packageRoots: readonly string[];
  /** `${env:NAME}` */
  environment: Readonly<Record<string, string | undefined>>;
}

/** One thing that is wrong with a configuration, and where. */
export interface ConfigProblem {
  pointer: string;
  message: string;
}

const fileSchema = z.looseObject({ mcpServers: z.record(z.string(), z.unknown()).default({}) });

/** Names that other programs give to the transports. */
const TRANSPORT_NAMES: Record<string, string> = {
  http: 'streamable-http',
  streamableHttp: 'streamable-http',
  streamable_http: 'streamable-http',
};

/**
 * Reads the servers of a configuration file (`mcpServers`, as Claude Desktop and VS Code write it). A file that does
 * not exist means no servers. `${secret:NAME}` is left as it is: it is resolved when a connection is opened.
 *
 * @throws INVALID_JSON or INVALID_INPUT; the message names the file and the place, `details` has every problem
 */
export function loadFleetConfig(file: string, vars: FleetConfigVars): NamedServerConfig[] {
  if (!existsSync(file)) return [];
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError('INVALID_JSON', `${file} is not valid JSON: ${reason}`, { cause: error });
  }
  const problems: ConfigProblem[] = [];
  const servers = parseServers(value, vars, problems);
  const first = problems[0];
  if (first !== undefined) {
    throw new AppError('INVALID_INPUT', `${file}: ${first.pointer || '/'}: ${first.message}`, {
      path: first.pointer || '/',
      details: problems.map((problem) => ({ path: problem.pointer, message: problem.message, file })),
    });
  }
  return servers;
}

function parseServers(value: unknown, vars: FleetConfigVars, problems: ConfigProblem[]): NamedServerConfig[] {
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    problems.push(...issuesAt([], parsed.error));
    return [];
  }
  const servers: NamedServerConfig[] = [];
  for (const [name, raw] of Object.entries(parsed.data.mcpServers)) {
    const at = ['mcpServers', name];
    const named = serverNameSchema.safeParse(name);
    if (!named.success) problems.push(...issuesAt(at, named.error));
    const resolved = resolvePlaceholders(withType(raw), vars, at, problems);
    const config = serverConfigSchema.safeParse(resolved);
    if (config.success) servers.push({ name, config: config.data });
    else problems.push(...issuesAt(at, config.error));
  }
  return servers;
}

/** Adds the transport where a file leaves it out: a command means stdio, a URL means Streamable HTTP. */
export function withType(raw: unknown): unknown {
  if (!isJsonObject(raw)) return raw;
  const { type } = raw;
  if (typeof type === 'string') return { ...raw, type: TRANSPORT_NAMES[type] ?? type };
  if (type === undefined) return { ...raw, type: 'url' in raw ? 'streamable-http' : 'stdio' };
  return raw;
}

function issuesAt(at: readonly PropertyKey[], error: z.ZodError): ConfigProblem[] {
  return error.issues.map((issue) => ({
    pointer: jsonPointer([...at, ...issue.path]),
    message: issue.message,
  }));
}

const PLACEHOLDER = /\$\{([A-Za-z]+)(?::([^}]*))?\}/g;

function resolvePlaceholders(
  value: unknown,
  vars: FleetConfigVars,
  at: readonly PropertyKey[],
  problems: ConfigProblem[],
): unknown {
  if (typeof value === 'string') {
    return value.replace(PLACEHOLDER, (whole, kind: string, name: string | undefined) => {
      try {
        return resolvePlaceholder(whole, kind, name, vars);
      } catch (error) {
        problems.push({
          pointer: jsonPointer(at),
          message: error instanceof Error ? error.message : String(error),
        });
        return whole;
      }
    });
  }
  if (Array.isArray(value))
    return value.map((item, index) => resolvePlaceholders(item, vars, [...at, index], problems));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(
    ([key, inner]) => [key, resolvePlaceholders(inner, vars, [...at, key], problems)] as const,
  );
  return Object.fromEntries(entries);
}

function resolvePlaceholder(
  whole: string,
  kind: string,
  name: string | undefined,
  vars: FleetConfigVars,
): string {
  switch (kind) {
    case 'workspace':
      return vars.workspace;
    case 'dataDir':
      return vars.dataDir;
    case 'env': {
      const value = vars.environment[name ?? ''];
      if (value === undefined) throw new Error(`the environment variable ${name} is not set`);
      return value;
    }
    case 'packageBin':
      return packageBin(name ?? '', vars.packageRoots);
    case 'secret':
      return whole;
    default:
      throw new Error(
        `${whole} is not known; use \${workspace}, \${dataDir}, \${packageBin:NAME}, \${env:NAME} or \${secret:NAME}`,
      );
  }
}

/** The script that an installed npm package runs as its (only, or like-named) command. */
function packageBin(name: string, roots: readonly string[]): string {
  for (const root of roots) {
    const folder = path.join(root, 'node_modules', name);
    const manifest = path.join(folder, 'package.json');
    if (!existsSync(manifest)) continue;
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin?: string | Record<string, string> };
    const script =
      typeof bin === 'string' ? bin : (bin?.[name.split('/').pop() ?? ''] ?? Object.values(bin ?? {})[0]);
    if (script === undefined) throw new Error(`the package ${name} has no command`);
    return path.join(folder, script);
  }
  throw new Error(`the package ${name} is not installed`);
}

/** A registry that never changes: the servers of the configuration file, which belong to one organisation. */
export function staticServerRegistry(
  organizationId: string,
  servers: readonly NamedServerConfig[],
): ServerRegistry {
  const list = [...servers];
  const byName = new Map<string, ServerConfig>(list.map((server) => [server.name, server.config]));
  return {
    list: (organization) => (organization === organizationId ? list : []),
    find: (organization, name) => (organization === organizationId ? byName.get(name) : undefined),
  };
}

/**
 * Copies the sample documents to the workspace at the very first start. A workspace that exists is left as it is,
 * so that documents which a person changed or removed stay changed or removed.
 *
 * @returns true when it was filled now
 */
export function seedWorkspace(from: string, to: string): boolean {
  if (existsSync(to)) return false;
  // Filled under another name first: a crash in between must not leave half a workspace that counts as done.
  const partial = `${to}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isFile()) copyFileSync(path.join(from, entry.name), path.join(partial, entry.name));
  }
  renameSync(partial, to);
  return true;
}
