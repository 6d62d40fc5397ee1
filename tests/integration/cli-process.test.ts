import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeInstance, RUN_ID } from '@/tests/fixtures/cli/fake-instance';
import { bundle } from '../../scripts/lib/bundle.mjs';

/** The program as a real process: signals, pipes, exit codes, its file. What it prints is tested in server/cli/cli.test.ts. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let instance: FakeInstance;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oc-cli-'));
  await bundle({ entry: join(ROOT, 'server/cli/main.ts'), outfile: join(folder, 'cli.mjs'), whole: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'openconductor', version: '1.2.3' }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  instance = new FakeInstance();
  await instance.listen();
});

afterEach(() => instance.close());

interface Live {
  child: ChildProcessWithoutNullStreams;
  out: () => string;
  err: () => string;
  /** Resolves once standard output holds the text. */
  said: (text: string) => Promise<void>;
  done: Promise<{ code: number | null; out: string; err: string; lines: unknown[] }>;
}

function live(args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}): Live {
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    OPENCONDUCTOR_URL: instance.url,
    ...options.env,
    NODE_ENV: 'test' as const,
  };
  const child = spawn(process.execPath, [join(folder, 'cli.mjs'), ...args], { cwd: folder, env });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  child.stdin.end(options.input ?? '');
  const done = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    out,
    err,
    get lines() {
      return out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
    },
  }));
  const said = async (text: string) => {
    while (!out.includes(text)) {
      const more = once(child.stdout, 'data').then(() => true);
      if (!(await Promise.race([more, done.then(() => false)]))) {
        if (!out.includes(text)) throw new Error(`"${text}" was never said:\n${out}\n${err}`);
      }
    }
  };
  return { child, out: () => out, err: () => err, said, done };
}

const oc = (args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}) =>
  live(args, options).done;

describe('the program as a process', () => {
  const args = [
    'orchestrate',
    'document-pipeline',
    '--with',
    'filesystem,memory',
    '--input',
    '{"path":"a.txt"}',
  ];

  it('detaches on Ctrl-C and says so', async () => {
    const run = live(args);
    await run.said('Run started');
    run.child.kill('SIGINT');
    const { code, out } = await run.done;
    expect(code).toBe(130);
    expect(out).toContain(`⚠ Detached; the run goes on. Watch it with: openconductor run watch ${RUN_ID}`);
  });

  it('runs the start script with the words behind --, and ends as it ends', async () => {
    await mkdir(join(folder, 'scripts'), { recursive: true });
    await writeFile(
      join(folder, 'scripts', 'start.mjs'),
      'console.log(process.argv.slice(2).join(" ")); process.exit(7);',
    );
    const { code, out } = await oc(['start', '--', '--port', '0']);
    expect([code, out]).toEqual([7, '--port 0\n']);
  });

  it('stops the start script when it is stopped itself', async () => {
    await mkdir(join(folder, 'scripts'), { recursive: true });
    const script =
      "process.on('SIGTERM', () => { console.log('stopped'); process.exit(0); }); setInterval(() => {}, 1e6); console.log('up');";
    await writeFile(join(folder, 'scripts', 'start.mjs'), script);
    const run = live(['start']);
    await run.said('up');
    run.child.kill('SIGTERM');
    const { code, out } = await run.done;
    expect([code, out]).toEqual([0, 'up\nstopped\n']);
  });

  it('does not mind a reader that goes away', async () => {
    const run = live(['help']);
    run.child.stdout.destroy();
    const { code, err } = await run.done;
    expect([code, err]).toEqual([0, '']);
  });

  it('reads input from standard input and from files', async () => {
    await writeFile(join(folder, 'in.json'), '\ufeff{"path":"b.txt"}');
    await oc(['orchestrate', 'document-pipeline', '-d', '-i', '-'], { input: '{"path":"c.txt"}' });
    await oc(['orchestrate', 'document-pipeline', '-d', '--input=@in.json']);
    const bodies = instance.asked(/^\/api\/v1\/runs$/).map((request) => request.body);
    expect(bodies).toMatchObject([{ input: { path: 'c.txt' } }, { input: { path: 'b.txt' } }]);
  });

  it('ends with 2 and one line of JSON on standard error for bad input, and prints nothing else', async () => {
    const { code, out, err } = await oc(['nonsense', '--json']);
    expect([code, out]).toEqual([2, '']);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'UNKNOWN_COMMAND', exit: 2 } });
    const empty = await oc([]);
    expect([empty.code, empty.err]).toEqual([0, '']);
    expect(empty.out).toContain('Usage: openconductor');
  });

  it('says what is wrong with a setting of its environment', async () => {
    const { code, err } = await oc(['health'], { env: { OPENCONDUCTOR_URL: 'nonsense' } });
    expect([code, err]).toEqual([2, expect.stringContaining('OPENCONDUCTOR_URL is "nonsense"')]);
  });

  it('finds the running instance of the folder that it lies in', async () => {
    await mkdir(join(folder, '.openconductor', 'run'), { recursive: true });
    const file = join(folder, '.openconductor', 'run', 'instance.json');
    await writeFile(file, JSON.stringify({ pid: 1, url: instance.url }));
    const { code, out } = await oc(['--version'], { env: { OPENCONDUCTOR_URL: '' } });
    expect([code, out]).toEqual([0, `openconductor 1.2.3\ninstance 9.9.9 at ${instance.url}\n`]);
    await rm(file);
  });

  it('starts from bin/openconductor.mjs, which makes what it needs', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(ROOT, 'bin', 'openconductor.mjs'), 'version', '--json', '--url', instance.url],
      { cwd: folder },
    );
    expect(JSON.parse(stdout)).toEqual({ version, instance: '9.9.9', url: instance.url });
  });
});
