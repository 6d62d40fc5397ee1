import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import type { HttpServerConfig, ServerConfig, StdioServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import type { JsonObject } from '@/lib/shared/json';
import { createMcpFleet, type McpFleetOptions } from '@/server/adapters/mcp/fleet';
import type { ToolCall, ToolFailure, ToolOutcome, ToolResult } from '@/server/ports/mcp-fleet';
import { staticServerRegistry } from '@/server/services/fleet-config';

export const ORGANIZATION = '018f0000-0000-7000-8000-000000000001';
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = path.join(ROOT, 'tests/fixtures/mcp-servers');

export const clock: Clock = {
  now: () => Date.now(),
  at: (atMs, run) => {
    const timer = setTimeout(run, Math.max(0, atMs - Date.now()));
    return () => clearTimeout(timer);
  },
};

export const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs `cleanup` after the test, newest first. */
export function afterTest(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

export function tempDir(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'oc-fleet-'));
  afterTest(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function stdio(args: string[], extra: Partial<StdioServerConfig> = {}): StdioServerConfig {
  return { type: 'stdio', command: 'node', args, env: {}, ...extra };
}

export function fixture(
  name: string,
  env: Record<string, string> = {},
  extra: Partial<StdioServerConfig> = {},
) {
  return stdio([path.join(FIXTURES, name)], { env, ...extra });
}

export function http(url: string, extra: Partial<HttpServerConfig> = {}): HttpServerConfig {
  return { type: 'streamable-http', url, headers: {}, ...extra };
}

export type TestFleet = ReturnType<typeof createMcpFleet>;

/** A fleet over the servers given, closed after the test. */
export function fleetOf(
  servers: Record<string, ServerConfig>,
  options: Partial<McpFleetOptions> = {},
): TestFleet {
  const fleet = createMcpFleet({
    servers: staticServerRegistry(
      ORGANIZATION,
      Object.entries(servers).map(([name, config]) => ({ name, config })),
    ),
    clock,
    log: silent,
    dataDir: options.dataDir ?? tempDir(),
    stdioCommands: ['node'],
    environment: process.env,
    network: { allowLoopback: true, allowPrivate: false },
    ...options,
  });
  afterTest(() => fleet.close());
  return fleet;
}

let calls = 0;

/** A call with sensible defaults. */
export function toolCall(
  server: string,
  tool: string,
  args: JsonObject = {},
  extra: Partial<ToolCall> = {},
): ToolCall {
  return {
    organizationId: ORGANIZATION,
    server,
    tool,
    arguments: args,
    idempotencyKey: `key-${++calls}`,
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    ...extra,
  };
}

export function resultOf(outcome: ToolOutcome): ToolResult {
  if (!outcome.ok) throw new Error(`failed: ${JSON.stringify(outcome.failure)}`);
  return outcome.result;
}

export function failureOf(outcome: ToolOutcome): ToolFailure {
  if (outcome.ok) throw new Error(`succeeded: ${JSON.stringify(outcome.result).slice(0, 300)}`);
  return outcome.failure;
}

export function textOf(outcome: ToolOutcome): string {
  return resultOf(outcome)
    .content.map((part) => (part as { text?: string }).text ?? '')
    .join('');
}

/** True while a process runs (a zombie counts as gone). */
export function alive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
