import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '@/lib/protocol/errors';
import type { WebhookScheme } from '@/lib/protocol/webhooks';

/** How far the time of a delivery may lie from ours, either way. Standard Webhooks leaves it open; five minutes is usual. */
const TOLERANCE_MS = 5 * 60_000;
const PREFIX = 'whsec_';
const SECRET_BYTES = 32;
/** More signatures than any rotation needs; a header full of them would keep us busy. */
const MAX_SIGNATURES = 10;
const ID = /^[\x21-\x7e]{1,200}$/;

/** A delivery whose signature is good. */
export interface Verified {
  /** The sender's id of it: the same when it is sent again. */
  deliveryId: string;
}

/** A new secret: 32 random bytes in the form of Standard Webhooks. With GitHub the whole text is the secret. */
export function newSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

function standardMac(secret: string, id: string, timestamp: string, body: Uint8Array | string): Buffer {
  const key = secret.startsWith(PREFIX)
    ? Buffer.from(secret.slice(PREFIX.length), 'base64')
    : Buffer.from(secret);
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}

/**
 * Headers of Standard Webhooks for a delivery of ours, signed with every secret given (two while one is being rotated).
 *
 * @param atMs when it is sent, epoch ms
 */
export function signedHeaders(
  secrets: readonly string[],
  id: string,
  atMs: number,
  body: string,
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000));
  const signatures = secrets.map(
    (secret) => `v1,${standardMac(secret, id, timestamp, body).toString('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

/**
 * Checks a delivery to us against each secret. Every comparison takes the same time, whatever was sent.
 *
 * @param nowMs our time, epoch ms
 * @throws WEBHOOK_SIGNATURE_INVALID, WEBHOOK_TOO_OLD
 */
export function verify(
  scheme: WebhookScheme,
  secrets: readonly string[],
  headers: Headers,
  body: Uint8Array,
  nowMs: number,
): Verified {
  return scheme === 'standard'
    ? verifyStandard(secrets, headers, body, nowMs)
    : verifyGithub(secrets, headers, body);
}

function verifyStandard(
  secrets: readonly string[],
  headers: Headers,
  body: Uint8Array,
  nowMs: number,
): Verified {
  const id = required(headers, 'webhook-id');
  const timestamp = required(headers, 'webhook-timestamp');
  const given = required(headers, 'webhook-signature').split(' ').slice(0, MAX_SIGNATURES);
  if (!ID.test(id)) throw invalid('webhook-id is not a visible text of at most 200 characters.');
  if (!/^\d{1,12}$/.test(timestamp)) throw invalid('webhook-timestamp is not a number of seconds.');
  const macs = secrets.map((secret) => standardMac(secret, id, timestamp, body));
  let good = false;
  for (const signature of given) {
    if (!signature.startsWith('v1,')) continue;
    const bytes = Buffer.from(signature.slice(3), 'base64');
    for (const mac of macs) if (same(bytes, mac)) good = true;
  }
  if (!good) throw invalid('No signature in webhook-signature is one of the secret.');
  // Only now: whoever does not know the secret learns nothing about our clock.
  const away = Number(timestamp) * 1000 - nowMs;
  if (Math.abs(away) > TOLERANCE_MS) {
    const seconds = Math.round(Math.abs(away) / 1000);
    throw new AppError(
      'WEBHOOK_TOO_OLD',
      `The delivery is dated ${seconds} s ${away < 0 ? 'ago' : 'ahead'}; ${TOLERANCE_MS / 1000} s are allowed.`,
      { path: '/headers/webhook-timestamp' },
    );
  }
  return { deliveryId: id };
}

/** GitHub signs the body alone and dates nothing; its delivery id is what makes a repetition known. */
function verifyGithub(secrets: readonly string[], headers: Headers, body: Uint8Array): Verified {
  const given = required(headers, 'x-hub-signature-256');
  const match = /^sha256=([0-9a-f]{64})$/i.exec(given);
  const bytes = Buffer.from(match?.[1] ?? '', 'hex');
  let good = false;
  for (const secret of secrets) {
    if (same(bytes, createHmac('sha256', secret).update(body).digest())) good = true;
  }
  if (!good) throw invalid('X-Hub-Signature-256 is not a signature of the secret.');
  const id = headers.get('x-github-delivery') ?? `sha256:${bytes.toString('hex')}`;
  if (!ID.test(id)) throw invalid('X-GitHub-Delivery is not a visible text of at most 200 characters.');
  return { deliveryId: id };
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function required(headers: Headers, name: string): string {
  const value = headers.get(name);
  if (value === null || value === '') throw invalid(`The header ${name} is missing.`);
  return value;
}

function invalid(message: string): AppError {
  return new AppError('WEBHOOK_SIGNATURE_INVALID', message);
}
