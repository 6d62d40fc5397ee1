import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { median, round } from '@/bench/support/stats';

/** The machine that figures were measured on. */
export interface MachineFacts {
  cores: number;
  cpu: string;
  memoryGiB: number;
  os: string;
  node: string;
  /** Load average of the last minute when the bench began: what else was running. */
  loadBefore: number;
  /** Median time of one 8 KiB write with fdatasync, in microseconds. */
  fdatasyncMicroseconds: number;
}

/** @param directory on the disk that is to be measured */
export function machineFacts(directory: string): MachineFacts {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: round(totalmem() / 2 ** 30, 1),
    os: `${process.platform} ${process.arch} ${release()}`,
    node: process.version,
    loadBefore: round(loadavg()[0] ?? 0),
    fdatasyncMicroseconds: Math.round(fdatasyncTime(directory)),
  };
}

function fdatasyncTime(directory: string): number {
  const path = join(directory, 'fdatasync-probe');
  const block = Buffer.alloc(8192);
  const file = openSync(path, 'w');
  try {
    const times = Array.from({ length: 200 }, (_, i) => {
      const begun = performance.now();
      // The same few blocks again and again, as a log does that reuses its segments.
      writeSync(file, block, 0, block.length, (i % 16) * block.length);
      fdatasyncSync(file);
      return (performance.now() - begun) * 1000;
    });
    return median(times.slice(20));
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
