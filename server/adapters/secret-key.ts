import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { AppError } from '@/lib/protocol/errors';

/** Fewer characters can be guessed too easily. */
const MIN_LENGTH = 32;

/** The secrets of this process that keys are made from. */
export interface SecretKeys {
  source: 'environment' | 'file';
  /** The one to seal under when nothing else was agreed on. */
  main: string;
  /** Older ones, for what was sealed before; OPENCONDUCTOR_SECRET_KEY_PREVIOUS. */
  previous: string[];
  /** The one that takes over when a rotation has ended; only with files. */
  next: string | undefined;
}

export interface SecretKeySettings {
  /** OPENCONDUCTOR_SECRET_KEY; '' when it is not set. */
  secretKey: string;
  /** OPENCONDUCTOR_SECRET_KEY_PREVIOUS; '' when it is not set. */
  secretKeyPrevious: string;
  dataDir: string;
}

/**
 * Reads every secret that this process may open values with.
 *
 * @throws SERVER_NOT_CONFIGURED when one is too short
 */
export function readSecretKeys({ secretKey, secretKeyPrevious, dataDir }: SecretKeySettings): SecretKeys {
  const main = loadSecretKey(secretKey, dataDir);
  const source = secretKey === '' ? 'file' : 'environment';
  const previous = secretKeyPrevious === '' ? [] : [secretKeyPrevious];
  if (previous.some((one) => one.length < MIN_LENGTH)) throw tooShort('OPENCONDUCTOR_SECRET_KEY_PREVIOUS');
  const next = source === 'file' ? readNextSecretKey(dataDir) : undefined;
  return { source, main, previous, next };
}

/** Makes the secret that a rotation leads to, in `secret.key.next`, unless it is there already. */
export function makeNextSecretKey(dataDir: string): string {
  return fromFile(nextFile(dataDir));
}

/** The secret in `secret.key.next`, when there is one. */
export function readNextSecretKey(dataDir: string): string | undefined {
  return read(nextFile(dataDir));
}

/**
 * Puts `secret.key.next` into the place of `secret.key`, which is gone with it. Nothing happens when it holds another
 * secret than the one given, or is not there: another process was faster.
 */
export function promoteNextSecretKey(dataDir: string, next: string): void {
  if (readNextSecretKey(dataDir) !== next) return;
  try {
    renameSync(nextFile(dataDir), keyFile(dataDir));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return;
  }
  syncFolder(dataDir);
}

/**
 * The secret that values are sealed under: the setting, or the file `secret.key` of the data folder, which is made at
 * first use and readable by its owner only. Without it nobody can read what was sealed: back it up with the database.
 *
 * @param setting OPENCONDUCTOR_SECRET_KEY; '' when it is not set
 * @throws SERVER_NOT_CONFIGURED when it is too short
 */
export function loadSecretKey(setting: string, dataDir: string): string {
  const secret = setting === '' ? fromFile(keyFile(dataDir)) : setting;
  if (secret.length >= MIN_LENGTH) return secret;
  throw tooShort(setting === '' ? keyFile(dataDir) : 'OPENCONDUCTOR_SECRET_KEY');
}

function tooShort(where: string): AppError {
  return new AppError('SERVER_NOT_CONFIGURED', `${where} holds fewer than ${MIN_LENGTH} characters.`);
}

function keyFile(dataDir: string): string {
  return path.join(dataDir, 'secret.key');
}

function nextFile(dataDir: string): string {
  return path.join(dataDir, 'secret.key.next');
}

function fromFile(file: string): string {
  const known = read(file);
  if (known !== undefined) return known;
  const folder = path.dirname(file);
  mkdirSync(folder, { recursive: true });
  // Written whole under a name of its own and then linked: of two processes that start at once, one wins and both read it.
  const own = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(own, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    linkSync(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(own, { force: true });
  }
  syncFolder(folder);
  return read(file) ?? '';
}

/** Names in a folder are on disk only when the folder is. Some systems do not allow it; they keep names by themselves. */
function syncFolder(folder: string): void {
  try {
    const handle = openSync(folder, 'r');
    fsyncSync(handle);
    closeSync(handle);
  } catch {
    // Not worth a failed start.
  }
}

function read(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    chmodSync(file, 0o600);
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
