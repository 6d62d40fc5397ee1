import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describe as describeProcess, readHolder, releaseFile, takeFile, withLock } from './lock.mjs';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oc-lock-'));
  file = join(folder, 'run', 'lock.json');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const mine = () => ({ launcher: describeProcess(process.pid) });
const never = () => Promise.reject(new Error('nobody holds it'));
/** A pid that was somebody's a moment ago and is nobody's now. */
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;

describe('takeFile', () => {
  it('takes a free file, and gives it free without a trace', async () => {
    await takeFile(file, mine(), never);
    expect(readHolder(file)).toEqual(mine());
    releaseFile(file);
    expect(readdirSync(join(folder, 'run'))).toEqual([]);
  });

  it('asks about the holder that it finds, and takes over when the answer is that nobody stands behind it', async () => {
    await takeFile(file, { launcher: { pid: deadPid(), startTime: '1' } }, never);
    const asked: number[] = [];
    await takeFile(file, mine(), async (holder) => {
      asked.push(holder.launcher.pid);
    });
    expect(asked).toHaveLength(1);
    expect(readHolder(file)).toEqual(mine());
  });

  it('leaves the file to its holder when the answer is an error', async () => {
    const other = { launcher: { pid: 1, startTime: 'x' } };
    await takeFile(file, other, never);
    await expect(takeFile(file, mine(), () => Promise.reject(new Error('it lives')))).rejects.toThrow(
      'it lives',
    );
    expect(readHolder(file)).toEqual(other);
  });

  it('clears a damaged file', async () => {
    await takeFile(file, mine(), never);
    writeFileSync(file, '{"launch');
    await takeFile(file, mine(), never);
    expect(readHolder(file)).toEqual(mine());
  });

  it('does not give free what another holds', async () => {
    await takeFile(file, { launcher: { pid: 1, startTime: 'x' } }, never);
    releaseFile(file);
    expect(existsSync(file)).toBe(true);
  });
});

describe('withLock', () => {
  it('lets one work at a time, and gives way also after a failure', async () => {
    const order: string[] = [];
    await expect(withLock(file, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(existsSync(file)).toBe(false);
    await withLock(file, async () => {
      order.push('in');
      expect(readHolder(file)).toEqual(mine());
    });
    expect(order).toEqual(['in']);
    expect(existsSync(file)).toBe(false);
  });

  it('is not held up by a process that was killed while it held the lock', async () => {
    await takeFile(file, { launcher: { pid: deadPid(), startTime: '1' } }, never);
    expect(await withLock(file, async () => 'done')).toBe('done');
  });
});
