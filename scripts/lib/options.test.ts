import { isAbsolute } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readOptions } from './options.mjs';

describe('readOptions', () => {
  it('lets a flag stand for its setting, above the environment', () => {
    const { settings, env } = readOptions(['--port', '4000', '--roles=engine,sync'], {
      PORT: '5000',
      HOST: '::1',
    });
    expect(settings).toMatchObject({ port: 4000, roles: ['engine', 'sync'], host: '::1' });
    expect(env).toMatchObject({ PORT: '4000', OPENCONDUCTOR_ROLES: 'engine,sync' });
  });

  it('hands absolute paths to the server', () => {
    const { settings, env } = readOptions(['--data-dir', 'elsewhere'], {});
    expect(isAbsolute(settings.dataDir)).toBe(true);
    expect(env.OPENCONDUCTOR_DATA_DIR).toBe(settings.dataDir);
    expect(readOptions(['--data-dir', '/srv/data'], {}).settings.dataDir).toBe('/srv/data');
  });

  it('names every wrong flag and setting at once', () => {
    const attempt = () => readOptions(['--prot', '--host'], { PORT: 'x' });
    expect(attempt).toThrow('There is no flag "--prot"');
    expect(attempt).toThrow('--host needs a value');
    expect(attempt).toThrow('PORT is "x"; allowed is a whole number from 0 to 65535.');
  });

  it('helps even when a setting is wrong', () => {
    expect(readOptions(['--help'], { PORT: 'x' }).help).toBe(true);
  });

  it('warns of misspelt settings', () => {
    expect(readOptions([], { OPENCONDUCTOR_ROLE: 'web' }).warnings).toEqual([
      'OPENCONDUCTOR_ROLE is not a setting of OpenConductor and is ignored.',
    ]);
  });
});
