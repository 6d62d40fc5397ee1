import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadFleetConfig, seedWorkspace, staticServerRegistry } from '@/server/services/fleet-config';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'oc-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function load(value: unknown) {
  const file = path.join(folder, 'config.json');
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return loadFleetConfig(file, {
    workspace: '/w',
    dataDir: '/d',
    packageRoots: [folder],
    environment: { TOKEN_FILE: '/t' },
  });
}

function problemsOf(value: unknown) {
  try {
    load(value);
  } catch (error) {
    return error as { code: string; message: string; path?: string; details?: Array<{ path: string }> };
  }
  throw new Error('was accepted');
}

describe('loadFleetConfig', () => {
  it('fills in placeholders and the transport', () => {
    mkdirSync(path.join(folder, 'node_modules/@a/tool'), { recursive: true });
    writeFileSync(
      path.join(folder, 'node_modules/@a/tool/package.json'),
      JSON.stringify({ bin: { tool: 'dist/x.js' } }),
    );
    const servers = load({
      mcpServers: {
        one: {
          command: 'node',
          args: ['${packageBin:@a/tool}', '--root=${workspace}/${dataDir}'],
          env: { F: '${env:TOKEN_FILE}', S: '${secret:KEY}' },
        },
        two: { url: 'https://example.com/mcp', headers: { Authorization: 'Bearer ${secret:T}' } },
        three: { type: 'http', url: 'https://example.com/mcp' },
        four: { type: 'sse', url: 'https://example.com/sse', disabled: true },
      },
    });
    expect(servers[0]).toEqual({
      name: 'one',
      config: {
        type: 'stdio',
        command: 'node',
        args: [path.join(folder, 'node_modules/@a/tool/dist/x.js'), '--root=/w//d'],
        env: { F: '/t', S: '${secret:KEY}' },
      },
    });
    expect(servers.map((server) => server.config.type)).toEqual([
      'stdio',
      'streamable-http',
      'streamable-http',
      'sse',
    ]);
  });

  it('names the file and the place of every problem', () => {
    const bad = problemsOf({
      mcpServers: {
        'a b': { command: 'x' },
        ok: { command: 'x', args: 'y' },
        p: { command: '${nope}' },
        q: { command: 'x', args: ['a', '${env:GONE}'] },
      },
    });
    expect(bad.code).toBe('INVALID_INPUT');
    expect(bad.message).toContain('config.json');
    expect(bad.details?.map((problem) => problem.path)).toEqual([
      '/mcpServers/a b',
      '/mcpServers/ok/args',
      '/mcpServers/p/command',
      '/mcpServers/q/args/1',
    ]);
    expect(problemsOf('{ "mcpServers": ').code).toBe('INVALID_JSON');
    expect(problemsOf({ mcpServers: [] }).path).toBe('/mcpServers');
    expect(problemsOf({ mcpServers: { x: { command: 'x', url: 'y' } } }).code).toBe('INVALID_INPUT');
    expect(problemsOf({ mcpServers: { x: { command: '${packageBin:absent}' } } }).message).toContain(
      'not installed',
    );
  });

  it('takes a missing file for no servers', () => {
    expect(
      loadFleetConfig(path.join(folder, 'none.json'), {
        workspace: '',
        dataDir: '',
        packageRoots: [],
        environment: {},
      }),
    ).toEqual([]);
  });
});

describe('staticServerRegistry', () => {
  it('shows the servers to their organisation only', () => {
    const registry = staticServerRegistry('one', load({ mcpServers: { a: { command: 'x' } } }));
    expect(registry.find('one', 'a')).toMatchObject({ command: 'x' });
    expect(registry.find('one', 'b')).toBeUndefined();
    expect(registry.find('two', 'a')).toBeUndefined();
    expect(registry.list('two')).toEqual([]);
  });
});

describe('seedWorkspace', () => {
  it('fills a new workspace once and never touches it again', () => {
    const from = path.join(folder, 'from');
    const to = path.join(folder, 'deep/to');
    mkdirSync(from);
    writeFileSync(path.join(from, 'a.md'), 'first');
    expect(seedWorkspace(from, to)).toBe(true);
    writeFileSync(path.join(to, 'a.md'), 'mine');
    writeFileSync(path.join(from, 'b.md'), 'second');
    expect(seedWorkspace(from, to)).toBe(false);
    expect(readFileSync(path.join(to, 'a.md'), 'utf8')).toBe('mine');
  });
});
