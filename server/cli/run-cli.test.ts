import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Sink } from '@/server/cli/output';
import { type CliProcess, runCli } from '@/server/cli/run-cli';
import { readCliEnvironment } from '@/server/config/cli-environment';
import { FakeInstance, RUN_ID } from '@/tests/fixtures/cli/fake-instance';

/** What only happens on a terminal: colours, widths and the question before a destructive command. */

let instance: FakeInstance;

beforeEach(async () => {
  instance = new FakeInstance();
  await instance.listen();
});

afterEach(() => instance.close());

function terminal(argv: string[], env: Record<string, string> = {}, answer = '', root?: string) {
  const text = { out: '', err: '', asked: '' };
  const sink = (key: 'out' | 'err'): Sink => ({
    write: (more) => {
      text[key] += more;
    },
    isTTY: true,
    columns: 100,
  });
  const cli: CliProcess = {
    argv,
    out: sink('out'),
    err: sink('err'),
    input: { stdin: (async function* () {})(), stdinIsTTY: true, workingDir: '/' },
    interrupt: new AbortController().signal,
    readEnvironment: () => readCliEnvironment({ OPENCONDUCTOR_URL: instance.url, ...env }),
    root,
    ask: async (question) => {
      text.asked += question;
      return answer;
    },
  };
  return { text, code: runCli(cli) };
}

describe('on a terminal', () => {
  it('asks once before it cancels, and does nothing on anything but yes', async () => {
    const no = terminal(['run', 'cancel', RUN_ID], {}, 'maybe');
    expect(await no.code).toBe(1);
    expect(no.text.asked).toBe(`run cancel ${RUN_ID}\nCancel this run? It cannot be taken back. [y/N] `);
    expect(instance.received).toEqual([]);
    expect(await terminal(['run', 'cancel', RUN_ID], {}, 'y').code).toBe(0);
    const sure = terminal(['run', 'cancel', RUN_ID, '--yes']);
    expect([await sure.code, sure.text.asked]).toEqual([0, '']);
    expect(instance.asked(/cancel/)).toHaveLength(2);
  });

  it('names the database before restore --replace deletes what it holds', async () => {
    vi.stubEnv('DATABASE_URL', 'postgresql://admin:hidden@db.example:5433/orders');
    try {
      const no = terminal(['restore', 'x.gz', '--replace'], {}, 'n', resolve(import.meta.dirname, '../..'));
      expect(await no.code).toBe(1);
      expect(no.text.asked).toBe(
        'Delete everything that the database orders at db.example:5433 holds now, and restore the backup? [y/N] ',
      );
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('refuses to back up or restore an instance that is named', async () => {
    for (const [argv, flag] of [
      [['restore', 'x.gz', '--replace', '--yes', '--profile', 'production'], '--profile'],
      [['restore', 'x.gz', '--url', instance.url], '--url'],
      [['backup', 'x.gz', '--url', instance.url], '--url'],
    ] as const) {
      const run = terminal([...argv], { NO_COLOR: '1' });
      expect(await run.code).toBe(2);
      expect(run.text.err).toContain(`works on a database, not on the instance that ${flag} names`);
    }
  });

  it('uses colours, unless asked not to', async () => {
    const plain = [
      terminal(['server', 'list'], { NO_COLOR: '1' }),
      terminal(['server', 'list', '--no-color']),
      terminal(['server', 'list'], { TERM: 'dumb' }),
      terminal(['server', 'list', '-o', 'csv']),
    ];
    const coloured = terminal(['server', 'list']);
    await coloured.code;
    expect(coloured.text.out).toContain('\u001b[92mconnected');
    for (const run of plain) {
      await run.code;
      expect(run.text.out).toContain('connected');
      expect(run.text.out).not.toContain('\u001b');
    }
    const error = terminal(['nonsense', '--no-color']);
    expect([await error.code, error.text.err.includes('\u001b')]).toEqual([2, false]);
  });

  it('cuts the last column to the width', async () => {
    const run = terminal(['workflow', 'list', '--no-color']);
    await run.code;
    for (const line of run.text.out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('does not wait for a keyboard that gives no JSON', async () => {
    const run = terminal(['orchestrate', 'document-pipeline', '--input', '-']);
    expect(await run.code).toBe(2);
    expect(run.text.err).toContain('Standard input is the keyboard');
  });
});
