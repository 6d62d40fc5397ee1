import { createReadStream } from 'node:fs';
import { extname, resolve } from 'node:path';
import { parseJsonText } from '@/lib/commands/json-text';
import type { JsonSource } from '@/lib/commands/types';
import type { Json } from '@/lib/shared/json';
import { badInput, markPlace } from '@/server/cli/cli-error';

/** More than this is never read: the server's own limit (OPENCONDUCTOR_MAX_BODY_BYTES) is far lower. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What reading needs from outside. */
export interface InputSource {
  stdin: AsyncIterable<Uint8Array>;
  /** True when standard input is a keyboard. */
  stdinIsTTY: boolean;
  /** Folder that relative paths start from. */
  workingDir: string;
}

/**
 * The JSON of `--input` and the like.
 *
 * @param field name shown in errors, e.g. `--input`
 * @throws CliError INVALID_JSON with line and column, INVALID_INPUT, PAYLOAD_TOO_LARGE
 */
export async function readJsonSource(source: JsonSource, field: string, io: InputSource): Promise<Json> {
  if (source.from === 'inline') return source.value;
  const path = source.from === 'file' ? source.path : '-';
  return parseJson(await readText(path, field, io), nameOf(path), field);
}

/** A workflow definition from a file or standard input: JSON, or YAML. */
export async function readDefinition(path: string, io: InputSource): Promise<Json> {
  const text = await readText(path, 'FILE', io);
  const yaml = /^\.ya?ml$/i.test(extname(path)) || (extname(path) !== '.json' && !/^\s*[{[]/.test(text));
  return yaml ? parseYaml(text, nameOf(path)) : parseJson(text, nameOf(path), 'FILE');
}

function parseJson(text: string, name: string, field: string): Json {
  if (text.trim() === '') throw badInput('INVALID_JSON', `${name} is empty.`, { path: field });
  const read = parseJsonText(text);
  if (read.ok) return read.value;
  const line = text.split('\n')[read.line - 1] ?? '';
  throw badInput('INVALID_JSON', `${name}, line ${read.line}, column ${read.column}: ${read.message}.`, {
    path: field,
    excerpt: markPlace(line, read.column - 1, read.column),
  });
}

async function parseYaml(text: string, name: string): Promise<Json> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { prettyErrors: false });
  const fault = document.errors[0];
  if (fault !== undefined) {
    const before = text.slice(0, fault.pos[0]).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    const line = text.split('\n')[before.length - 1] ?? '';
    throw badInput('INVALID_INPUT', `${name}, line ${before.length}, column ${column}: ${fault.message}`, {
      path: 'FILE',
      next: 'Correct the YAML.',
      excerpt: markPlace(line, column - 1, column),
    });
  }
  return document.toJS() as Json;
}

/**
 * The text of a file, or of standard input (`-`).
 *
 * @throws CliError INVALID_INPUT, PAYLOAD_TOO_LARGE
 */
export async function readText(path: string, field: string, io: InputSource): Promise<string> {
  if (path === '-' && io.stdinIsTTY) {
    throw badInput('INVALID_INPUT', 'Standard input is the keyboard: there is nothing to read.', {
      path: field,
      next: 'Pipe it into the command, or name a file.',
    });
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of path === '-' ? io.stdin : createReadStream(resolve(io.workingDir, path))) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array);
      size += bytes.length;
      if (size > MAX_BYTES) break;
      chunks.push(bytes);
    }
  } catch (cause) {
    throw badInput('INVALID_INPUT', `${nameOf(path)} cannot be read: ${reasonOf(cause)}.`, {
      path: field,
      next: 'Check the path; it starts from the folder you are in.',
      cause,
    });
  }
  if (size > MAX_BYTES) {
    throw badInput('PAYLOAD_TOO_LARGE', `${nameOf(path)} is larger than ${MAX_BYTES / 1024 / 1024} MiB.`, {
      path: field,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw badInput('INVALID_INPUT', `${nameOf(path)} is not UTF-8 text.`, {
      path: field,
      next: 'Save it as UTF-8.',
      cause,
    });
  }
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}

function nameOf(path: string): string {
  return path === '-' ? 'Standard input' : path;
}
