import { describe, expect, it } from 'vitest';
import type { ServerConfig } from '@/lib/protocol/server-config';
import { checkServer } from '@/server/services/server-check';

const stdio = (more: object = {}): ServerConfig => ({
  type: 'stdio',
  command: 'node',
  args: [],
  env: {},
  ...more,
});
const http = (more: object = {}): ServerConfig => ({
  type: 'streamable-http',
  url: 'https://mcp.example.com/mcp',
  headers: {},
  ...more,
});

describe('checkServer', () => {
  it('refuses a command that is not on the list', () => {
    expect(() => checkServer('s', stdio({ command: 'bash' }), ['node'])).toThrow('bash is not on the list');
  });

  it('refuses an address that is none', () => {
    for (const url of ['ftp://x', 'javascript:alert(1)', 'mcp.example.com'])
      expect(() => checkServer('s', http({ url }), []), url).toThrow('http:// or https://');
  });

  it('fills nothing in but secrets: the environment of the process stays closed', () => {
    for (const text of ['${env:DATABASE_URL}', '${dataDir:x}', '${secret:}', '${packageBin:x}'])
      expect(() => checkServer('s', stdio({ args: [text] }), ['node']), text).toThrow('is not known here');
    const { uses } = checkServer('s', stdio({ args: ['--key=${secret:MY_KEY}'] }), ['node']);
    expect(uses).toEqual(['MY_KEY']);
  });

  it('takes what looks secret out of the configuration', () => {
    const env = { API_TOKEN: 'hunter2', DEBUG: '1' };
    const checked = checkServer('files', stdio({ env }), ['node']);
    expect(checked.config).toMatchObject({ env: { API_TOKEN: '${secret:FILES_API_TOKEN}', DEBUG: '1' } });
    expect(checked.secrets).toEqual([{ name: 'FILES_API_TOKEN', value: 'hunter2' }]);
    const headers = { Authorization: 'Bearer abc', 'X-Trace': 'on' };
    const remote = checkServer('r', http({ headers, oauth: { clientId: 'id', clientSecret: 'shh' } }), []);
    expect(JSON.stringify(remote.config)).not.toMatch(/abc|shh/);
    expect(remote.secrets.map((secret) => secret.value)).toEqual(['abc', 'shh']);
  });

  it('keeps a template of a registry as it is', () => {
    expect(checkServer('t', http({ url: 'https://{host}/mcp' }), []).config).toMatchObject({
      url: 'https://{host}/mcp',
    });
  });
});
