import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  loadSecretKey,
  makeNextSecretKey,
  promoteNextSecretKey,
  readSecretKeys,
} from '@/server/adapters/secret-key';

describe('the secret key', () => {
  const folders: string[] = [];
  const folder = () => {
    const made = mkdtempSync(path.join(tmpdir(), 'oc-key-'));
    folders.push(made);
    return made;
  };
  afterEach(() => {
    for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
  });

  it('is made once, readable by its owner only', () => {
    const dataDir = folder();
    const key = loadSecretKey('', dataDir);
    expect(key.length).toBeGreaterThanOrEqual(43);
    expect(loadSecretKey('', dataDir)).toBe(key);
    expect(loadSecretKey('', folder())).not.toBe(key);
    expect(statSync(path.join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600);
    expect(readdirSync(dataDir)).toEqual(['secret.key']);
  });

  it('is the setting when there is one, and no file is made then', () => {
    const dataDir = folder();
    expect(loadSecretKey('s'.repeat(32), dataDir)).toBe('s'.repeat(32));
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('is refused when it is too short, wherever it comes from', () => {
    const dataDir = folder();
    writeFileSync(path.join(dataDir, 'secret.key'), 'short');
    expect(() => loadSecretKey('', dataDir)).toThrow('secret.key holds fewer than 32 characters');
    expect(() => loadSecretKey('short', dataDir)).toThrow('OPENCONDUCTOR_SECRET_KEY holds fewer than 32');
  });

  it('a next one is made once beside it, and takes its place in one step', () => {
    const dataDir = folder();
    const settings = { secretKey: '', secretKeyPrevious: '', dataDir };
    const first = readSecretKeys(settings);
    expect(first).toMatchObject({ source: 'file', previous: [], next: undefined });
    const next = makeNextSecretKey(dataDir);
    expect(makeNextSecretKey(dataDir)).toBe(next);
    expect(readSecretKeys(settings)).toEqual({ ...first, next });
    promoteNextSecretKey(dataDir, 'another one');
    expect(readSecretKeys(settings).main).toBe(first.main);
    promoteNextSecretKey(dataDir, next);
    promoteNextSecretKey(dataDir, next);
    expect(readSecretKeys(settings)).toEqual({ ...first, main: next });
    expect(statSync(path.join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600);
    expect(readdirSync(dataDir)).toEqual(['secret.key']);
  });

  it('an older one may be given beside either; one that is too short is refused', () => {
    const dataDir = folder();
    const old = 'o'.repeat(32);
    const settings = { secretKey: 's'.repeat(32), secretKeyPrevious: old, dataDir };
    expect(readSecretKeys(settings)).toMatchObject({
      source: 'environment',
      previous: [old],
      next: undefined,
    });
    expect(readSecretKeys({ ...settings, secretKey: '' }).previous).toEqual([old]);
    expect(() => readSecretKeys({ ...settings, secretKeyPrevious: 'short' })).toThrow(
      'OPENCONDUCTOR_SECRET_KEY_PREVIOUS holds fewer',
    );
  });
});
