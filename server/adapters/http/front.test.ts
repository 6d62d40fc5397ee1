import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atTheFront, type FrontOptions } from '@/server/adapters/http/front';
import { CLIENT_HEADER } from '@/server/adapters/identity/authenticate';

describe('what every request and answer gets', () => {
  const options: FrontOptions = { trustProxy: false, isSecure: false, formTargets: [] };
  const server = createServer((request, response) => {
    atTheFront(request, response, options);
    response.end(JSON.stringify(request.headers));
  });
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const ask = async (headers: Record<string, string> = {}, path = '/') => {
    const response = await fetch(url + path, { headers });
    return { headers: response.headers, seen: (await response.json()) as Record<string, string> };
  };

  it('a nonce of its own for every answer, the same that the page is told', async () => {
    const nonceOf = (policy: string | null) => /'nonce-([\w+/=]+)'/.exec(policy ?? '')?.[1];
    const [one, other] = [await ask(), await ask()];
    const nonce = nonceOf(one.headers.get('content-security-policy'));
    expect(nonce).toHaveLength(24);
    expect(nonceOf(one.seen['content-security-policy'] ?? '')).toBe(nonce);
    expect(nonceOf(other.headers.get('content-security-policy'))).not.toBe(nonce);
    expect(one.headers.get('content-security-policy')).not.toContain('unsafe-eval');
  });

  it('leaves pages alone that bring a policy of their own', async () => {
    expect((await ask({}, '/api/docs?x=1')).headers.get('content-security-policy')).toBeNull();
  });

  it('believes nobody about where they are, unless a proxy of ours says it', async () => {
    const claims = { 'x-forwarded-for': '6.6.6.6, 8.8.8.8', [CLIENT_HEADER]: '7.7.7.7' };
    expect((await ask(claims)).seen[CLIENT_HEADER]).toMatch(/127\.0\.0\.1$/);
    options.trustProxy = true;
    expect((await ask(claims)).seen[CLIENT_HEADER]).toBe('8.8.8.8');
    expect((await ask({ 'x-forwarded-for': 'a\tb' })).seen[CLIENT_HEADER]).toMatch(/127\.0\.0\.1$/);
  });

  it('HSTS behind TLS only', async () => {
    expect((await ask()).headers.get('strict-transport-security')).toBeNull();
    options.isSecure = true;
    expect((await ask()).headers.get('strict-transport-security')).toMatch(/max-age=31536000/);
  });
});
