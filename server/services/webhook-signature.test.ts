import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newSecret, signedHeaders, verify } from '@/server/services/webhook-signature';

/** The vector that the libraries of Standard Webhooks test themselves with. */
const VECTOR = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  seconds: 1_614_265_330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const now = VECTOR.seconds * 1000;
const bytes = Buffer.from(VECTOR.body);

function given(more: Record<string, string | undefined> = {}): Headers {
  const all = {
    'webhook-id': VECTOR.id,
    'webhook-timestamp': String(VECTOR.seconds),
    'webhook-signature': VECTOR.signature,
    ...more,
  };
  return new Headers(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

const check = (headers: Headers, at = now, secrets = [VECTOR.secret], body: Uint8Array = bytes) =>
  verify('standard', secrets, headers, body, at);
const codeOf = (run: () => unknown) => {
  try {
    run();
    return 'accepted';
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('Standard Webhooks', () => {
  it('signs the vector of the specification', () => {
    expect(signedHeaders([VECTOR.secret], VECTOR.id, now, VECTOR.body)).toEqual({
      'webhook-id': VECTOR.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': VECTOR.signature,
    });
    expect(check(given())).toEqual({ deliveryId: VECTOR.id });
  });

  it('takes any good signature among several, of any secret that is good', () => {
    const other = newSecret();
    expect(check(given({ 'webhook-signature': `v1a,xyz v1,AAAA ${VECTOR.signature}` })).deliveryId).toBe(
      VECTOR.id,
    );
    expect(check(given(), now, [other, VECTOR.secret]).deliveryId).toBe(VECTOR.id);
    const both = signedHeaders([other, VECTOR.secret], 'm', now, 'x');
    expect(both['webhook-signature']?.split(' ')).toHaveLength(2);
    expect(check(new Headers(both), now, [other], Buffer.from('x')).deliveryId).toBe('m');
  });

  it('is five minutes patient, either way', () => {
    expect(codeOf(() => check(given(), now + 300_000))).toBe('accepted');
    expect(codeOf(() => check(given(), now - 300_000))).toBe('accepted');
    expect(codeOf(() => check(given(), now + 301_000))).toBe('WEBHOOK_TOO_OLD');
    expect(codeOf(() => check(given(), now - 301_000))).toBe('WEBHOOK_TOO_OLD');
  });

  it.each([
    ['no id', { 'webhook-id': undefined }],
    ['no time', { 'webhook-timestamp': undefined }],
    ['no signature', { 'webhook-signature': undefined }],
    ['an empty signature', { 'webhook-signature': 'v1,' }],
    ['another version', { 'webhook-signature': VECTOR.signature.replace('v1,', 'v2,') }],
    ['a shortened signature', { 'webhook-signature': VECTOR.signature.slice(0, 30) }],
    ['another id', { 'webhook-id': 'msg_other' }],
    ['another time', { 'webhook-timestamp': String(VECTOR.seconds + 1) }],
    ['a time that is none', { 'webhook-timestamp': '1e9' }],
  ])('refuses %s', (_what, headers) => {
    expect(codeOf(() => check(given(headers)))).toBe('WEBHOOK_SIGNATURE_INVALID');
  });

  it('refuses another body and another secret, and says nothing of the clock to whoever cannot sign', () => {
    expect(codeOf(() => check(given(), now, [VECTOR.secret], Buffer.from('{}')))).toBe(
      'WEBHOOK_SIGNATURE_INVALID',
    );
    expect(codeOf(() => check(given(), now + 9e9, [newSecret()]))).toBe('WEBHOOK_SIGNATURE_INVALID');
    expect(codeOf(() => check(given(), now, []))).toBe('WEBHOOK_SIGNATURE_INVALID');
  });
});

describe('GitHub', () => {
  // The example in GitHub's documentation on validating deliveries.
  const secret = "It's a Secret to Everybody";
  const body = Buffer.from('Hello, World!');
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const github = (headers: Record<string, string>, secrets = [secret]) =>
    verify('github', secrets, new Headers(headers), body, 0);

  it('takes the documented example, whatever the time', () => {
    const headers = { 'x-hub-signature-256': signature, 'x-github-delivery': 'guid-1' };
    expect(github(headers)).toEqual({ deliveryId: 'guid-1' });
    expect(github(headers, [newSecret(), secret])).toEqual({ deliveryId: 'guid-1' });
  });

  it('knows a delivery without an id by its signature', () => {
    expect(github({ 'x-hub-signature-256': signature }).deliveryId).toBe(
      `sha256:${signature.slice('sha256='.length)}`,
    );
  });

  it('refuses anything else', () => {
    const sha1 = createHmac('sha1', secret).update(body).digest('hex');
    for (const value of ['', 'sha256=', signature.slice(0, -1), `sha1=${sha1}`, `sha256=${'0'.repeat(64)}`]) {
      expect(codeOf(() => github({ 'x-hub-signature-256': value }))).toBe('WEBHOOK_SIGNATURE_INVALID');
    }
    expect(codeOf(() => github({}))).toBe('WEBHOOK_SIGNATURE_INVALID');
  });
});

it('makes secrets of 32 bytes that differ', () => {
  const secrets = Array.from({ length: 50 }, newSecret);
  expect(new Set(secrets).size).toBe(50);
  for (const secret of secrets) expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
});
