import { describe, expect, it } from 'vitest';
import { importServers } from '@/server/services/server-import';

describe('importServers', () => {
  it('reads a file of Claude Desktop and takes secrets out', () => {
    const { servers, secrets, problems } = importServers(
      JSON.stringify({
        mcpServers: {
          filesystem: {
            command: 'npx',
            args: ['-y', '@modelcontextprotocol/server-filesystem', '/Users/me/Desktop'],
          },
          'GitHub (work)': {
            command: 'docker',
            args: ['run', '-i'],
            env: { GITHUB_PERSONAL_ACCESS_TOKEN: 'ghp_123', LOG_LEVEL: 'debug' },
          },
        },
      }),
      '/w',
    );
    expect(problems).toEqual([]);
    expect(servers).toEqual([
      {
        name: 'filesystem',
        config: {
          type: 'stdio',
          command: 'npx',
          args: ['-y', '@modelcontextprotocol/server-filesystem', '/Users/me/Desktop'],
          env: {},
        },
      },
      {
        name: 'GitHub-work',
        config: {
          type: 'stdio',
          command: 'docker',
          args: ['run', '-i'],
          env: {
            GITHUB_PERSONAL_ACCESS_TOKEN: '${secret:GITHUB_WORK_GITHUB_PERSONAL_ACCESS_TOKEN}',
            LOG_LEVEL: 'debug',
          },
        },
      },
    ]);
    expect(secrets).toEqual([
      {
        name: 'GITHUB_WORK_GITHUB_PERSONAL_ACCESS_TOKEN',
        value: 'ghp_123',
        usedBy: 'GitHub-work',
        pointer: '/mcpServers/GitHub (work)/env/GITHUB_PERSONAL_ACCESS_TOKEN',
      },
    ]);
  });

  it('reads mcp.json of VS Code with comments, inputs and placeholders', () => {
    const text = `{
      // asked for at the first start
      "inputs": [{ "type": "promptString", "id": "perplexity-key", "password": true }],
      "servers": {
        "docs": { "type": "http", "url": "https://example.com/mcp", "headers": { "Authorization": "Bearer \${input:perplexity-key}" } },
        "local": { "type": "stdio", "command": "node", "args": ["\${workspaceFolder}/a//b.js",], "env": { "HOME_DIR": "\${env:HOME}" }, /* not ours */ "envFile": "x" },
      },
    }`;
    const { servers, secrets, problems } = importServers(text, '/w');
    expect(problems).toEqual([]);
    expect(servers[0]?.config).toEqual({
      type: 'streamable-http',
      url: 'https://example.com/mcp',
      headers: { Authorization: 'Bearer ${secret:DOCS_PERPLEXITY_KEY}' },
    });
    expect(servers[1]?.config).toMatchObject({
      command: 'node',
      args: ['/w/a//b.js'],
      env: { HOME_DIR: '${env:HOME}' },
    });
    expect(secrets).toEqual([
      {
        name: 'DOCS_PERPLEXITY_KEY',
        value: null,
        usedBy: 'docs',
        pointer: '/servers/docs/headers/Authorization',
      },
    ]);
  });

  it('reads files of Cursor and settings of VS Code', () => {
    const cursor = {
      mcpServers: {
        a: { url: 'https://example.com/sse', headers: { 'X-Api-Key': 'k' } },
        b: { url: 'https://example.com/mcp', disabled: true },
      },
    };
    const fromCursor = importServers(JSON.stringify(cursor), '/w');
    expect(fromCursor.servers.map(({ config }) => config.type)).toEqual(['sse', 'streamable-http']);
    expect(fromCursor.servers[1]?.config.disabled).toBe(true);
    expect(fromCursor.secrets).toMatchObject([{ name: 'A_X_API_KEY', value: 'k' }]);
    expect(
      importServers(JSON.stringify({ mcp: { servers: { c: { command: 'x' } } } }), '/w').servers,
    ).toHaveLength(1);
  });

  it('gives every server a name of its own', () => {
    const { servers } = importServers(
      JSON.stringify({
        mcpServers: { 'a b': { command: 'x' }, 'a-b': { command: 'y' }, '!!!': { command: 'z' } },
      }),
      '/w',
    );
    expect(servers.map(({ name }) => name)).toEqual(['a-b', 'a-b-2', 'server']);
  });

  it('names what it cannot take over, and takes over the rest', () => {
    const { servers, problems } = importServers(
      JSON.stringify({
        mcpServers: {
          ok: { command: 'x', flavour: 'sweet' },
          bad: { args: ['a'] },
          worse: 7,
          odd: { command: '${mystery}' },
        },
      }),
      '/w',
    );
    expect(servers.map(({ name }) => name)).toEqual(['ok', 'odd']);
    expect(problems.map(({ pointer }) => pointer)).toEqual([
      '/mcpServers/ok/flavour',
      '/mcpServers/bad/command',
      '/mcpServers/worse',
      '/mcpServers/odd/command',
    ]);
  });

  it('refuses files of another kind', () => {
    expect(() => importServers('{', '/w')).toThrowError(expect.objectContaining({ code: 'INVALID_JSON' }));
    expect(() => importServers('{"servers": []}', '/w')).toThrowError(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
    expect(() => importServers('[]', '/w')).toThrowError(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});
