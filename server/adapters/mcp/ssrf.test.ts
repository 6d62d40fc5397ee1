import { describe, expect, it } from 'vitest';
import { addressAllowed, addressClass, assertUrlAllowed, guardedLookup } from '@/server/adapters/mcp/ssrf';

const closed = { allowLoopback: false, allowPrivate: false };

describe('addressClass', () => {
  it.each([
    ['93.184.215.14', 'public'],
    ['2606:4700:4700::1111', 'public'],
    ['127.0.0.1', 'loopback'],
    ['127.8.8.8', 'loopback'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['169.254.169.254', 'reserved'],
    ['::ffff:a9fe:a9fe', 'reserved'],
    ['fe80::1%eth0', 'reserved'],
    ['0.0.0.0', 'reserved'],
    ['::', 'reserved'],
    ['224.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['64:ff9b::7f00:1', 'reserved'],
    ['2002:7f00:1::', 'reserved'],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'reserved'],
    ['not an address', 'reserved'],
  ])('%s is %s', (address, kind) => {
    expect(addressClass(address)).toBe(kind);
  });
});

describe('assertUrlAllowed', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1:8080/mcp',
    'file:///etc/passwd',
    'gopher://example.com/',
  ])('refuses %s', (url) => {
    expect(() => assertUrlAllowed(url, closed)).toThrowError(
      expect.objectContaining({ code: 'ADDRESS_NOT_ALLOWED' }),
    );
  });

  it('lets public hosts pass, and this machine when it is allowed', () => {
    expect(assertUrlAllowed('https://example.com/mcp', closed).hostname).toBe('example.com');
    expect(assertUrlAllowed('http://127.0.0.1:3000/mcp', { ...closed, allowLoopback: true }).port).toBe(
      '3000',
    );
    expect(addressAllowed('192.168.1.1', { ...closed, allowPrivate: true })).toBe(true);
    expect(addressAllowed('169.254.169.254', { allowLoopback: true, allowPrivate: true })).toBe(false);
    expect(() => assertUrlAllowed('no url', closed)).toThrowError(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
  });
});

describe('guardedLookup', () => {
  const lookup = (host: string, all: boolean, policy = closed) =>
    new Promise<unknown>((resolve) => {
      guardedLookup(policy)(host, { all } as never, (error, address) => resolve(error ?? address));
    });

  it('refuses names that lead to this machine', async () => {
    expect(await lookup('localhost', false)).toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' });
    expect(await lookup('localhost', true)).toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' });
  });

  it('gives the address when it is allowed', async () => {
    const open = { ...closed, allowLoopback: true };
    expect(await lookup('localhost', false, open)).toMatch(/^(127\.0\.0\.1|::1)$/);
    expect(await lookup('localhost', true, open)).toContainEqual({
      address: expect.any(String),
      family: expect.any(Number),
    });
  });
});
