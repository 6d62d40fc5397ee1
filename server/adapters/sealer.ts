import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { AppError } from '@/lib/protocol/errors';
import type { Sealer } from '@/server/ports/sealer';

const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES;

/**
 * AES-256-GCM under a key that is derived (HKDF-SHA256) from the instance's secret. A sealed value is: version, id of the
 * key, nonce, tag, ciphertext; its context is authenticated with it.
 *
 * @param secret at least 32 characters
 */
export function createSealer(secret: string): Sealer {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'openconductor seal v1', 32));
  const keyId = createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES);
  return {
    seal(text, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return new Uint8Array([VERSION, ...keyId, ...nonce, ...cipher.getAuthTag(), ...body]);
    },

    open(sealed, context) {
      const bytes = Buffer.from(sealed);
      if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION)
        throw new AppError('SECRET_UNREADABLE', 'A sealed value is damaged.');
      const nonceAt = 1 + KEY_ID_BYTES;
      if (!bytes.subarray(1, nonceAt).equals(keyId))
        throw new AppError('SECRET_UNREADABLE', 'A value was sealed under another key than the one in use.');
      const tagAt = nonceAt + NONCE_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(nonceAt, tagAt), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(tagAt, HEAD_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES)), decipher.final()]).toString(
          'utf8',
        );
      } catch (error) {
        throw new AppError('SECRET_UNREADABLE', 'A sealed value was altered, or moved to another place.', {
          cause: error,
        });
      }
    },
  };
}
