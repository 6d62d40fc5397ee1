import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A child process as its pid file describes it: enough to recognise it for certain after our own death. */
interface ChildRecord {
  pid: number;
  /** Field 22 of /proc/PID/stat: with the pid it names one process, even after the pid is used again. */
  startTime: string;
  command: string;
  parentPid: number;
  parentStartTime: string;
}

/** When a process started, as the kernel counts; undefined when it is gone or the system has no /proc. */
export function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold spaces: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Sends a signal to every process of a group; false when the group is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * The child processes that live now, each with a file under `directory`, so that the next start can end those that
 * outlived a kill -9 of this process. Children are group leaders, so a whole tree ends with one signal.
 */
export class ChildRegistry {
  private readonly live = new Set<number>();
  private readonly onExit = () => {
    for (const pid of this.live) signalGroup(pid, 'SIGKILL');
  };

  constructor(private readonly directory: string) {
    process.on('exit', this.onExit);
  }

  /** Writes the pid file of a child that has just been started. */
  add(pid: number, command: string): void {
    this.live.add(pid);
    const startTime = processStartTime(pid);
    const parentStartTime = processStartTime(process.pid);
    // Without /proc nothing could prove later that the pid is still this child, so no file is written.
    if (startTime === undefined || parentStartTime === undefined) return;
    const record: ChildRecord = { pid, startTime, command, parentPid: process.pid, parentStartTime };
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(this.file(pid), JSON.stringify(record), { mode: 0o600 });
  }

  /** The child has ended. */
  remove(pid: number): void {
    this.live.delete(pid);
    rmSync(this.file(pid), { force: true });
  }

  /** Pids of the children that run now. */
  pids(): number[] {
    return [...this.live];
  }

  /** Lets go of the process-wide exit hook. */
  close(): void {
    process.off('exit', this.onExit);
  }

  private file(pid: number): string {
    return path.join(this.directory, `${pid}.json`);
  }
}

/** Where the pid files are. */
export function childDirectory(dataDir: string): string {
  return path.join(dataDir, 'run', 'children');
}

/**
 * Ends the children of OpenConductor processes that are gone, and removes their files. Children of a process that
 * still lives (another engine on the same data directory) are left alone.
 *
 * @returns the commands of the process trees that were ended
 */
export function killOrphans(dataDir: string): string[] {
  const directory = childDirectory(dataDir);
  const ended: string[] = [];
  for (const name of listFiles(directory)) {
    const file = path.join(directory, name);
    const record = readRecord(file);
    if (record !== undefined && processStartTime(record.parentPid) === record.parentStartTime) continue;
    if (record !== undefined && processStartTime(record.pid) === record.startTime) {
      signalGroup(record.pid, 'SIGKILL');
      ended.push(record.command);
    }
    rmSync(file, { force: true });
  }
  return ended;
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

function readRecord(file: string): ChildRecord | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<ChildRecord>;
    const complete =
      Number.isInteger(value.pid) &&
      Number.isInteger(value.parentPid) &&
      typeof value.startTime === 'string' &&
      typeof value.parentStartTime === 'string';
    return complete && (value.pid as number) > 1 ? (value as ChildRecord) : undefined;
  } catch {
    return undefined;
  }
}
