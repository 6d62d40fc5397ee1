import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { badInput } from '@/server/cli/cli-error';

/** Name of a profile. */
export const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const fileSchema = z.object({
  current: z.string().nullable().default(null),
  profiles: z.record(z.string(), z.object({ url: z.string(), apiKey: z.string().optional() })).default({}),
});

/** The profiles of this user, and the one in use. */
export type Profiles = z.infer<typeof fileSchema>;
/** Where an instance is, and the key for it. */
export type Profile = Profiles['profiles'][string];

function fileOf(configDir: string): string {
  return join(configDir, 'openconductor', 'profiles.json');
}

/**
 * Reads the profiles; there are none when the file is not there.
 * @param configDir folder of the user's configuration files (XDG)
 * @throws CliError INVALID_JSON when the file is broken: nothing of it is thrown away
 */
export async function readProfiles(configDir: string): Promise<Profiles> {
  const file = fileOf(configDir);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { current: null, profiles: {} };
    throw badInput('INVALID_INPUT', `${file} cannot be read.`, { path: file, cause });
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw badInput('INVALID_JSON', `${file} is no file of profiles.`, {
      path: file,
      next: 'Correct it, or move it away and add the profiles again.',
      cause,
    });
  }
}

/** Writes the profiles whole: readable by the user alone, and never half of them. */
export async function writeProfiles(configDir: string, profiles: Profiles): Promise<void> {
  const file = fileOf(configDir);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    // The umask may have taken rights away; it cannot add any, but be sure.
    await chmod(draft, 0o600);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

/** @throws CliError INVALID_INPUT when there is none of this name */
export function profileNamed({ profiles }: Profiles, name: string, path: string): Profile {
  const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (found !== undefined) return found;
  throw badInput('INVALID_INPUT', `There is no profile ${name}.`, {
    path,
    next: 'List the profiles with `openconductor profile list`.',
  });
}
