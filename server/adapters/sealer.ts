import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { AppError } from '@/lib/protocol/errors';
import type { Resealer } from '@/server/ports/sealer';

/** Form 1: the value directly under the master key. Form 2: under a data key of its own, which is under the master key. */
const DIRECT = 1;
const ENVELOPE = 2;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const DATA_KEY_BYTES = 32;
const BOX_BYTES = NONCE_BYTES + TAG_BYTES;
/** Version and id of the master key. */
const HEAD_BYTES = 1 + KEY_ID_BYTES;
/** Where the value begins in an envelope: behind the head and the data key in its box. */
const BODY_AT = HEAD_BYTES + BOX_BYTES + DATA_KEY_BYTES;

/** A master key, made from a secret of the operator's. */
export interface SealKey {
  /** Eight hex digits that name it; they say nothing about it. */
  id: string;
  /** Seals values of form 1. */
  direct: Buffer;
  /** Wraps data keys of form 2. */
  wrap: Buffer;
}

/** Which key new values are sealed under, and in which form. */
export interface SealMode {
  keyId: string;
  /** 1 as long as a process of a version that knows nothing else may read the value. */
  form: 1 | 2;
}

/** Derives (HKDF-SHA256) what is needed from a secret of at least 32 characters. */
export function createSealKey(secret: string): SealKey {
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
  const direct = derive('openconductor seal v1');
  const id = createHash('sha256').update(direct).digest().subarray(0, KEY_ID_BYTES).toString('hex');
  return { id, direct, wrap: derive('openconductor wrap v2') };
}

/** The id of the key that a value was sealed under. */
export function keyIdOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(1, HEAD_BYTES)).toString('hex');
}

/**
 * AES-256-GCM under the keys that this process holds. A sealed value begins with its form and the id of its master key;
 * then, in form 2, the data key in its box (nonce, tag, ciphertext) and the value in its own. A value's context is
 * authenticated with both. Changing the master key only wraps data keys anew.
 */
export class Keyring implements Resealer {
  private keys = new Map<string, SealKey>();
  private mode: SealMode | undefined;

  /** @param main the key to seal under as long as nothing else was said, or its key is not held */
  constructor(
    private main: SealKey,
    others: readonly SealKey[] = [],
  ) {
    this.hold(main, others);
  }

  /** Replaces the keys. */
  hold(main: SealKey, others: readonly SealKey[]): void {
    this.main = main;
    this.keys = new Map([main, ...others].map((key) => [key.id, key]));
  }

  /** Says which key new values are sealed under from now on. */
  use(mode: SealMode): void {
    this.mode = mode;
  }

  get mainId(): string {
    return this.main.id;
  }

  /** Id of the key that new values are sealed under. */
  get sealsUnder(): string {
    return this.current().id;
  }

  /** Ids of the keys that are held. */
  get ids(): string[] {
    return [...this.keys.keys()];
  }

  holds(keyId: string): boolean {
    return this.keys.has(keyId);
  }

  seal(text: string, context: string): Uint8Array<ArrayBuffer> {
    const key = this.current();
    const value = Buffer.from(text, 'utf8');
    if (this.mode?.form === DIRECT) return joined(DIRECT, key, lock(key.direct, value, context));
    const dataKey = randomBytes(DATA_KEY_BYTES);
    return joined(
      ENVELOPE,
      key,
      lock(key.wrap, dataKey, wrapContext(context)),
      lock(dataKey, value, context),
    );
  }

  open(sealed: Uint8Array, context: string): string {
    const { form, key, bytes } = this.read(sealed);
    if (form === DIRECT) return unlock(key.direct, bytes.subarray(HEAD_BYTES), context).toString('utf8');
    const dataKey = unlock(key.wrap, bytes.subarray(HEAD_BYTES, BODY_AT), wrapContext(context));
    return unlock(dataKey, bytes.subarray(BODY_AT), context).toString('utf8');
  }

  reseal(sealed: Uint8Array, context: string): Uint8Array<ArrayBuffer> {
    const { form, key, bytes } = this.read(sealed);
    if (form === DIRECT || this.mode?.form === DIRECT) return this.seal(this.open(sealed, context), context);
    const dataKey = unlock(key.wrap, bytes.subarray(HEAD_BYTES, BODY_AT), wrapContext(context));
    const now = this.current();
    return joined(ENVELOPE, now, lock(now.wrap, dataKey, wrapContext(context)), bytes.subarray(BODY_AT));
  }

  private current(): SealKey {
    return (this.mode === undefined ? undefined : this.keys.get(this.mode.keyId)) ?? this.main;
  }

  private read(sealed: Uint8Array): { form: number; key: SealKey; bytes: Buffer } {
    const bytes = Buffer.from(sealed);
    const form = bytes[0];
    const shortest = form === ENVELOPE ? BODY_AT + BOX_BYTES : HEAD_BYTES + BOX_BYTES;
    if ((form !== DIRECT && form !== ENVELOPE) || bytes.length < shortest)
      throw new AppError('SECRET_UNREADABLE', 'A sealed value is damaged.');
    const id = keyIdOf(bytes);
    const key = this.keys.get(id);
    if (key !== undefined) return { form, key, bytes };
    const held = this.ids.join(', ');
    throw new AppError(
      'SECRET_UNREADABLE',
      `A value was sealed under another key (${id}) than this process has (${held}).`,
    );
  }
}

/** A keyring of one key. */
export function createSealer(secret: string): Keyring {
  return new Keyring(createSealKey(secret));
}

function wrapContext(context: string): string {
  return `data key\n${context}`;
}

function joined(form: number, key: SealKey, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([Buffer.from([form]), Buffer.from(key.id, 'hex'), ...parts]));
}

/** Nonce, tag, ciphertext. */
function lock(key: Buffer, value: Buffer, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(value), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

function unlock(key: Buffer, box: Buffer, context: string): Buffer {
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE_BYTES), options);
  decipher.setAAD(Buffer.from(context)).setAuthTag(box.subarray(NONCE_BYTES, BOX_BYTES));
  try {
    return Buffer.concat([decipher.update(box.subarray(BOX_BYTES)), decipher.final()]);
  } catch (error) {
    throw new AppError('SECRET_UNREADABLE', 'A sealed value was altered, or moved to another place.', {
      cause: error,
    });
  }
}
