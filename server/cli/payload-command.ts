import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { runPayload } from '@/lib/commands/rows/run-again';
import type { ArgsOf } from '@/lib/commands/types';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { revealed } from '@/server/cli/reveal';

/** `run payload`: saves one content as a file. */
export async function savePayload(
  args: ArgsOf<typeof runPayload>,
  { api, output }: CliContext,
): Promise<number> {
  const sha256 = args.sha256.trim().toLowerCase();
  const body = await api.send('get', '/api/v1/runs/{runId}/payloads/{sha256}', {
    path: { runId: args.run, sha256 },
    query: revealed(args),
    schema: z.instanceof(Buffer),
    raw: true,
    timeoutMs: 300_000,
  });
  const file = resolve(args.file ?? `payload-${sha256.slice(0, 12)}`);
  try {
    await writeFile(file, body, { flag: 'wx' });
  } catch (cause) {
    const why =
      (cause as { code?: unknown }).code === 'EEXIST' ? 'exists already' : `cannot be written: ${cause}`;
    throw badInput('INVALID_INPUT', `${file} ${why}.`, { path: '--file', cause });
  }
  const row = { file, sha256, bytes: body.length };
  const people = () => output.note('ok', '✓', 'Saved', `${file}, ${body.length} bytes`);
  await output.record(
    row,
    people,
    [row],
    [
      { title: 'FILE', value: (saved) => saved.file },
      { title: 'BYTES', value: (saved) => saved.bytes, right: true },
    ],
  );
  return EXIT.ok;
}
