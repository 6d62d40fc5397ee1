import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '@/lib/protocol/errors';

/** Fewer characters can be guessed too easily. */
const MIN_LENGTH = 32;

/**
 * The secret that values are sealed under: the setting, or the file `secret.key` of the data folder, which is made at
 * first use and readable by its owner only. Without it nobody can read what was sealed: back it up with the database.
 *
 * @param setting OPENCONDUCTOR_SECRET_KEY; '' when it is not set
 * @throws SERVER_NOT_CONFIGURED when it is too short
 */
export function loadSecretKey(setting: string, dataDir: string): string {
  const secret = setting === '' ? fromFile(path.join(dataDir, 'secret.key')) : setting;
  if (secret.length >= MIN_LENGTH) return secret;
  const where = setting === '' ? path.join(dataDir, 'secret.key') : 'OPENCONDUCTOR_SECRET_KEY';
  throw new AppError('SERVER_NOT_CONFIGURED', `${where} holds fewer than ${MIN_LENGTH} characters.`);
}

function fromFile(file: string): string {
  const known = read(file);
  if (known !== undefined) return known;
  mkdirSync(path.dirname(file), { recursive: true });
  // Written whole under a name of its own and then linked: of two processes that start at once, one wins and both read it.
  const own = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(own, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(own, { force: true });
  }
  return read(file) ?? '';
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
