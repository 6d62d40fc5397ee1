import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundle } from '../../scripts/lib/bundle.mjs';

const root = resolve(import.meta.dirname, '../..');
let bundled: Promise<string> | undefined;

/** The program `openconductor`, bundled once a test file. */
export function cliBundle(): Promise<string> {
  bundled ??= (async () => {
    const outfile = join(root, 'node_modules/.cache/openconductor/tests', `cli.${process.pid}.mjs`);
    await bundle({ entry: join(root, 'server/cli/main.ts'), outfile });
    return outfile;
  })();
  return bundled;
}

export interface CliResult {
  code: number | null;
  out: string;
  err: string;
  /** Standard output read as one JSON document. */
  json(): unknown;
  /** Standard output read as one JSON value a line. */
  lines(): unknown[];
}

/** Runs one command line in a process of its own. `cwd` is where relative paths start from. */
export async function runCliProcess(
  args: readonly string[],
  options: { url: string; input?: string; cwd?: string; env?: Record<string, string> },
): Promise<CliResult> {
  const child = spawn(process.execPath, ['--enable-source-maps', await cliBundle(), ...args], {
    cwd: options.cwd ?? root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      // Nobody's own profiles.
      XDG_CONFIG_HOME: join(tmpdir(), 'oc-no-profiles'),
      OPENCONDUCTOR_URL: options.url,
      ...options.env,
    } as unknown as NodeJS.ProcessEnv,
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  child.stdin.end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return {
    code,
    out,
    err,
    json: () => JSON.parse(out) as unknown,
    lines: () =>
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
  };
}
